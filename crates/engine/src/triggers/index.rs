//! Which dimensions of an index an event answers, and with which values.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::Object;
use serde_json::{Map, Value};

use super::interest::{PROBE_SEPARATOR, VALUE_SEPARATOR, WAITS, WORD_SEPARATOR, type_word, value_text};
use crate::{Event, Record, context};

/// What an event says to a dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It meets nothing that is listed there.
    Nothing,
    /// It may meet what is listed there under these values.
    Values(String),
    /// It may meet anything that is listed there: to compare is an error, which those who are listed there must tell.
    Anything,
    /// It cannot be said without its record.
    NeedsRecord,
}

/// The record of an event as filters see it, as far as the index looks at it.
#[derive(Debug)]
pub struct RecordSight {
    view: Option<Map<String, Value>>,
    /// Their values are records when a filter reads them, so that the index knows nothing of them.
    relationships: BTreeSet<String>,
}

impl RecordSight {
    /// The record as it is now; `None` if it is gone.
    pub fn of(record: Option<&Record>, objects: &BTreeMap<String, Object>) -> Self {
        let object = record.and_then(|record| objects.get(&record.object));
        Self {
            view: record.map(|record| context::plain_view(record, objects)),
            relationships: object.map(|object| object.relationships.keys().cloned().collect()).unwrap_or_default(),
        }
    }
}

/// What an event says to a dimension. Without its record, dimensions that look at it are answered only if the rest says
/// no.
pub fn answer(dimension: &str, event: &Event, record: Option<&RecordSight>) -> Answer {
    let mut parts = dimension.split(PROBE_SEPARATOR);
    if parts.next() != Some(event.kind.facts().word) {
        return Answer::Nothing;
    }
    let (mut values, mut anything, mut needs_record) = (Vec::new(), false, false);
    for probe in parts {
        match probed(probe, event, record) {
            Probed::No => return Answer::Nothing,
            Probed::Value(value) => values.push(value),
            Probed::Anything => anything = true,
            Probed::NeedsRecord => needs_record = true,
        }
    }
    match (needs_record, anything) {
        (true, _) => Answer::NeedsRecord,
        (false, true) => Answer::Anything,
        (false, false) => Answer::Values(values.join(VALUE_SEPARATOR)),
    }
}

/// Whether somebody who is listed in a dimension may take notice of an event: a workflow that it may start, or a step that
/// waits. It may say so too often, and never too seldom.
pub fn may_hear(dimension: &str, event: &Event) -> bool {
    let Some(probes) = dimension.strip_prefix(WAITS) else {
        return answer(dimension, event, None) != Answer::Nothing;
    };
    // Steps wait for records that are there: one that is new has nobody who waits for it, unless it comes back.
    let is_new = !event.kind.facts().tells_changes && event.data.get("unarchived").is_none();
    !is_new && answer(&format!("{}{probes}", event.kind.facts().word), event, None) != Answer::Nothing
}

/// What was found at a probe's path.
enum Probed {
    No,
    Value(String),
    Anything,
    NeedsRecord,
}

fn probed(probe: &str, event: &Event, record: Option<&RecordSight>) -> Probed {
    let Some((word, path)) = probe.split_once(WORD_SEPARATOR) else { return Probed::Anything };
    let found = match path.split_once('.') {
        Some(("trigger", path)) => in_event(event, path),
        Some(("record", path)) => match record {
            None => return Probed::NeedsRecord,
            Some(sight) if sight.relationships.contains(first(path)) => return Probed::Anything,
            Some(sight) => sight.view.as_ref().and_then(|view| inner(view, path)).map(Cow::Borrowed),
        },
        _ => return Probed::Anything,
    };
    match (word, &found, path.strip_prefix("trigger.").and_then(|path| path.rsplit_once('.'))) {
        // A side of a change that is not told is null, as it is to the trigger.
        ("as", None, Some((change, _))) if in_event(event, change).is_some() => Probed::Value(String::new()),
        _ => tested(word, found.as_deref()),
    }
}

/// What stands at a path below a value.
fn inner<'v>(view: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    let mut names = path.split('.');
    let first = view.get(names.next()?)?;
    names.try_fold(first, |value, name| value.as_object()?.get(name))
}

fn first(path: &str) -> &str {
    path.split_once('.').map_or(path, |(first, _)| first)
}

fn tested(word: &str, found: Option<&Value>) -> Probed {
    let Some(value) = found else {
        // To compare what is not there is an error of the filter.
        return if matches!(word, "has" | "as") { Probed::No } else { Probed::Anything };
    };
    match word {
        "has" => Probed::Value(String::new()),
        "as" | "in" => Probed::Value(value_text(value)),
        word if word == type_word(value) => Probed::Value(value_text(value)),
        // Null may be compared with everything.
        word if word == "null" || value.is_null() => Probed::No,
        // To compare two types is an error of the filter.
        _ => Probed::Anything,
    }
}

/// What expressions see as `trigger.<path>`.
fn in_event<'e>(event: &'e Event, path: &str) -> Option<Cow<'e, Value>> {
    match path {
        "type" => Some(Cow::Owned(event.kind.facts().word.into())),
        "id" => Some(Cow::Owned(event.id.clone().into())),
        "occurred_at" => Some(Cow::Owned(event.occurred_at.to_string().into())),
        path if matches!(first(path), "type" | "id" | "occurred_at") => None,
        path => inner(&event.data, path).map(Cow::Borrowed),
    }
}
