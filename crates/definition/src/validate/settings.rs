//! The keys of the workflow itself: owner, object, time zone, calendar, retention.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use super::facts::Facts;
use super::report::Report;
use super::{literal, words};
use crate::kind::{check_dates, check_known};
use crate::path::Path;
use crate::problem::code;
use crate::trigger::TypeFacts;
use crate::{DefinitionKind, Duration, RETENTION_LEAST, SLOTS_OF_KEY_MOST, TriggerKind, WINDOW_LONGEST};

/// Most schedules of a workflow.
const SCHEDULES_MOST: usize = 8;

/// Most date triggers of a workflow.
const DATES_MOST: usize = 8;

pub(super) fn check(report: &mut Report<'_>, file: &Value, facts: &Facts<'_>) {
    let root = Path::root();
    if file.get("owner").and_then(Value::as_str).is_some_and(|owner| owner.trim().is_empty()) {
        let message = "expected the address that answers for the workflow, found an empty text";
        report.error(code::BLANK_VALUE, &root.key("owner"), message);
    }
    if let Some(zone) = file.get("timezone").and_then(Value::as_str).filter(|zone| !literal::is_timezone(zone)) {
        let message = format!("expected a time zone such as \"Europe/Berlin\", found {}", words::quoted(zone));
        report.error(code::INVALID_TIME, &root.key("timezone"), message).suggest(near_timezone(zone));
    }
    calendar(report, file, facts);
    retention(report, file);
    slots_of_key(report, file);
    debounce(report, file);
    schedules(report, file);
    dates(report, file);
    if file.get("steps").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        report.warning(code::SUSPICIOUS, &root.key("steps"), "a workflow without steps does nothing");
    }
    object(report, facts);
    variables(report, file, facts);
}

/// Holidays are dates, and a calendar is there.
fn calendar(report: &mut Report<'_>, file: &Value, facts: &Facts<'_>) {
    let path = Path::root().key("calendar");
    match file.get("calendar") {
        Some(Value::Array(days)) => check_dates(days, &path, report),
        Some(Value::String(id)) => {
            check_known(report, facts.around, (DefinitionKind::Calendar, id), (&path, 0));
        }
        _ => {}
    }
}

/// A retention that is no duration, or is negative, is reported where the shapes are checked.
fn retention(report: &mut Report<'_>, file: &Value) {
    let Some(written) = file.get("retention") else { return };
    let span = Duration::from_value(written).map(|retention| retention.approximate());
    if span.is_ok_and(|span| (SignedDuration::ZERO..RETENTION_LEAST).contains(&span)) {
        let message = format!(
            "expected at least 7d, found {}: a delivery that is repeated later would start an execution again",
            words::found(written)
        );
        report.error(code::INVALID_TIME, &Path::root().key("retention"), message);
    }
}

/// What is stored of schedules is written in the transaction of the workflow's head, which has room for so many.
fn schedules(report: &mut Report<'_>, file: &Value) {
    let count = triggers_that(file, |facts| facts.recurs);
    if count > SCHEDULES_MOST {
        let message = format!("expected at most {SCHEDULES_MOST} schedules, found {count}");
        report.error(code::OUT_OF_RANGE, &Path::root().key("triggers"), message);
    }
}

/// Each of them has an entry for each record.
fn dates(report: &mut Report<'_>, file: &Value) {
    let count = triggers_that(file, |facts| facts.follows_dates);
    if count > DATES_MOST {
        let message = format!("expected at most {DATES_MOST} triggers of the type date, found {count}");
        report.error(code::OUT_OF_RANGE, &Path::root().key("triggers"), message);
    }
}

/// How many triggers there are of types of which something holds.
fn triggers_that(file: &Value, holds: impl Fn(TypeFacts) -> bool) -> usize {
    let triggers = file.get("triggers").and_then(Value::as_array).into_iter().flatten();
    let tags = triggers.map(|trigger| trigger.get("type").and_then(Value::as_str).unwrap_or_default());
    tags.filter(|tag| holds(TriggerKind::facts_of(tag))).count()
}

/// A window is open for a day at most, and not shorter than the pause that closes it.
fn debounce(report: &mut Report<'_>, file: &Value) {
    let Some(debounce) = file.get("limits").and_then(|limits| limits.get("debounce")) else { return };
    let span = |key: &str| Duration::from_value(debounce.get(key)?).ok().map(|span| span.approximate());
    let path = Path::root().key("limits").key("debounce");
    let (quiet, longest) = (span("for"), span("at_most"));
    for (key, span) in [("for", quiet), ("at_most", longest)] {
        if span.is_some_and(|span| span.is_zero() || span > WINDOW_LONGEST) {
            let message = format!("expected a time up to 24h, found {}", words::found(&debounce[key]));
            report.error(code::INVALID_TIME, &path.key(key), message);
        }
    }
    if let (Some(quiet), Some(longest)) = (quiet, longest)
        && quiet > longest
    {
        let message = "expected at least the time of `for`: no burst would be over before";
        report.error(code::INVALID_TIME, &path.key("at_most"), message);
    }
}

/// The slots of one key are items that an execution reads when it asks for one.
fn slots_of_key(report: &mut Report<'_>, file: &Value) {
    let Some(concurrency) = file.get("limits").and_then(|limits| limits.get("concurrency")) else { return };
    let most = concurrency.get("at_most").and_then(Value::as_u64).unwrap_or_default();
    if concurrency.get("per").is_some() && most > SLOTS_OF_KEY_MOST.into() {
        let message = format!("expected a number of at most {SLOTS_OF_KEY_MOST} with `per`, found {most}");
        let path = Path::root().key("limits").key("concurrency").key("at_most");
        report.error(code::OUT_OF_RANGE, &path, message);
    }
}

fn near_timezone(zone: &str) -> Option<String> {
    let known: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    words::did_you_mean(zone, known.iter().map(String::as_str))
}

fn object(report: &mut Report<'_>, facts: &Facts<'_>) {
    let Some(id) = facts.object_id.filter(|id| !facts.broken.contains(*id)) else { return };
    if facts.objects.is_empty() {
        let message = format!("no object is known here, so that what is said of {} is not checked", words::quoted(id));
        report.warning(code::UNKNOWN_OBJECT, &Path::root().key("object"), message);
    } else if facts.object().is_none() {
        let known = || facts.objects.keys().map(String::as_str);
        let message = format!(
            "expected an object that exists, found {}; there are {}",
            words::quoted(id),
            words::all_of(known())
        );
        let near = words::did_you_mean(id, known());
        report.error(code::UNKNOWN_OBJECT, &Path::root().key("object"), message).suggest(near);
    }
}

/// Defaults that are written out must be values of the variable's type.
fn variables(report: &mut Report<'_>, file: &Value, facts: &Facts<'_>) {
    let types: BTreeMap<_, _> = facts.declared.iter().map(|(name, kind, many)| (*name, (*kind, *many))).collect();
    for (at, variable) in file.get("variables").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let kind = variable.get("name").and_then(Value::as_str).and_then(|name| types.get(name));
        let (Some((Some(kind), many)), Some(default)) = (kind, variable.get("default")) else { continue };
        let values = match default {
            Value::Array(values) if *many => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        let kind = super::facts::field_type(*kind);
        let written_out = |value: &&Value| !value.to_string().contains("{{");
        if let Some(wrong) = values.iter().filter(written_out).find(|value| !literal::takes(kind, &[], value)) {
            let message = format!("expected {}, found {}", literal::expected(kind, &[]), words::found(wrong));
            report.error(code::INVALID_VALUE, &Path::root().key("variables").index(at).key("default"), message);
        }
    }
}
