//! What a trigger demands of an event, as far as it can be told without evaluating the trigger: its interests, and the
//! terms under which a workflow is found by them.
//!
//! A term is `<topic>|<dimension>|<values>`. The *dimension* says what is looked at: the kind of the event, then its
//! probes (`field_updated;as:trigger.changes.stage.to`). The *values* are those that the probes must find
//! (`closed`). An event need not list what it could satisfy, which would be without bound: it answers those dimensions
//! only that some workflow is listed under (see [`super::index`]).

use pawl_definition::{Comparison, Expression, Workflow, value};
use serde_json::Value;

use crate::event::EventType;
use crate::{Subject, ids};

/// Most terms of one interest: a longer list of values is not indexed.
const MOST_TERMS: usize = 16;
/// Most probes of one dimension; what a trigger demands besides is left to its evaluation.
const MOST_PROBES: usize = 3;
/// Longest path of a probe that is indexed, in bytes. Three of them, their values and the id of a workflow make a sort
/// key, which has 1 KiB.
const MOST_PATH: usize = 120;
/// Longest value that is written out in a term, in bytes; a longer one is told by its digest.
const MOST_VALUE: usize = 40;

/// One way in which an event can meet a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Interest {
    topic: String,
    kind: EventType,
    probes: Vec<Probe>,
    /// A step that waits on a record takes those only that are about its record.
    about_record: bool,
}

/// What one path of an event or its record must hold.
#[derive(Debug, Clone, PartialEq)]
struct Probe {
    path: String,
    test: Test,
}

/// How a probe looks at the value at its path. The words are stored, do not rename.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// It is there.
    Has,
    /// It is one of these, a number as good as its text.
    As(Vec<Value>),
    /// It equals one of these; a value of another type does not.
    In(Vec<Value>),
    /// It equals this one; to ask of a value of another type is an error, which people are told.
    Equals(Value),
}

impl Interest {
    /// In each event of a kind on a topic.
    pub fn of(topic: impl Into<String>, kind: EventType) -> Self {
        Self { topic: topic.into(), kind, probes: Vec::new(), about_record: false }
    }

    /// The same, of which a step that waits on a record takes those only that are about its record.
    #[must_use]
    pub fn about_record(self) -> Self {
        Self { about_record: true, ..self }
    }

    /// In each event of a kind on the records of a workflow's object; none of a workflow without one.
    pub fn of_object(workflow: &Workflow, kind: EventType) -> Option<Self> {
        workflow.object.as_ref().map(|object| Self::of(ids::object_topic(object), kind))
    }

    /// The same, if the event has something at a path: `["changes", "stage"]`.
    #[must_use]
    pub fn has(self, path: &[&str]) -> Self {
        self.probe(&in_event(path), Test::Has)
    }

    /// The same, if the event has one of these values at a path. Numbers and the texts that say them, and all blank
    /// values, count as one.
    #[must_use]
    pub fn with(self, path: &[&str], values: Vec<Value>) -> Self {
        self.probe(&in_event(path), Test::As(values))
    }

    /// The same, if the conjuncts of a filter may be true.
    #[must_use]
    pub(super) fn filtered(self, filter: &Expression) -> Self {
        let mut conjuncts = filter.conjuncts();
        conjuncts.retain(|conjunct| matches!(conjunct.path[0].as_str(), "record" | "trigger"));
        // However they are written, they are one dimension.
        conjuncts.sort_by(|left, right| left.path.cmp(&right.path));
        conjuncts.into_iter().fold(self, |interest, conjunct| {
            let test = match conjunct.test {
                Comparison::Equal(value) => Test::Equals(value),
                Comparison::In(values) => Test::In(values),
            };
            let path: Vec<_> = conjunct.path.iter().map(String::as_str).collect();
            interest.probe(&path, test)
        })
    }

    /// Adds a probe, if there is room for it; what is not asked for is found out by evaluation.
    fn probe(mut self, path: &[&str], test: Test) -> Self {
        let is_name = |name: &&str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        };
        let joined = path.join(".");
        let is_known = self.probes.iter().any(|probe| probe.path == joined);
        let has_room =
            self.probes.len() < MOST_PROBES && (1..=MOST_TERMS).contains(&(self.combinations() * test.count()));
        if path.len() > 1 && path.iter().all(is_name) && joined.len() <= MOST_PATH && has_room && !is_known {
            self.probes.push(Probe { path: joined, test });
        }
        self
    }

    fn combinations(&self) -> usize {
        self.probes.iter().map(|probe| probe.test.count()).product()
    }

    /// The terms under which it is listed.
    pub(super) fn terms(&self) -> Vec<String> {
        let dimension = self.dimension();
        let mut values = vec![String::new()];
        for (place, probe) in self.probes.iter().enumerate() {
            let found = probe.test.values();
            let separator = if place > 0 { VALUE_SEPARATOR } else { "" };
            values = values
                .iter()
                .flat_map(|before| found.iter().map(move |value| format!("{before}{separator}{value}")))
                .collect();
        }
        values.into_iter().map(|values| term(&self.topic, &dimension, &values)).collect()
    }

    fn dimension(&self) -> String {
        let mut dimension = self.kind.facts().word.to_owned();
        for probe in &self.probes {
            dimension.extend([PROBE_SEPARATOR, probe.test.word(), WORD_SEPARATOR, &probe.path]);
        }
        dimension
    }

    /// The field of its record whose change it takes; none if any event of its topic may do.
    pub(crate) fn changed_field(&self) -> Option<&str> {
        let path = &self.probes.first()?.path;
        path.strip_prefix("trigger.changes.")?.split('.').next().filter(|_| self.kind.facts().tells_changes)
    }

    /// Whether its events name the workflow that they are for, so that it need not be found.
    pub(super) fn is_addressed(&self) -> bool {
        self.kind.facts().is_addressed
    }

    /// Its topic.
    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    /// The topic on which a step listens that waits on a record, or on none.
    pub(crate) fn waiter_topic(&self, record: Option<&Subject>) -> String {
        let record = record.filter(|_| self.about_record);
        record.map_or_else(|| self.topic.clone(), |record| ids::topic_on_record(&self.topic, record))
    }

    /// The term of a step that waits for it, if who makes its events asks whether anybody waits.
    pub(crate) fn awaited_apart(&self) -> Option<String> {
        self.about_record.then(|| term(&self.topic, WAITS, ""))
    }
}

impl Test {
    fn word(&self) -> &'static str {
        match self {
            Self::Has => "has",
            Self::As(_) => "as",
            Self::In(_) => "in",
            Self::Equals(value) => type_word(value),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Has | Self::Equals(_) => 1,
            Self::As(values) | Self::In(values) => values.len(),
        }
    }

    fn values(&self) -> Vec<String> {
        match self {
            Self::Has => vec![String::new()],
            Self::As(values) | Self::In(values) => values.iter().map(value_text).collect(),
            Self::Equals(value) => vec![value_text(value)],
        }
    }
}

/// Between the probes of a dimension, a probe's word and its path, and the values of a term. Stored, do not change.
pub(super) const PROBE_SEPARATOR: &str = ";";
pub(super) const WORD_SEPARATOR: &str = ":";
pub(super) const VALUE_SEPARATOR: &str = "&";

/// The word for the type of a value that `==` compares with.
pub(super) fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// A value in a term: its text if that is short and simple, else a digest of it.
pub(super) fn value_text(value: &Value) -> String {
    let text = value::lookup_text(value);
    let is_simple = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@' | b'+');
    if text.len() <= MOST_VALUE && text.bytes().all(is_simple) { text } else { ids::value_digest(&text) }
}

fn term(topic: &str, dimension: &str, values: &str) -> String {
    format!("{topic}|{dimension}|{values}")
}

fn in_event<'a>(path: &[&'a str]) -> Vec<&'a str> {
    std::iter::once("trigger").chain(path.iter().copied()).collect()
}

/// The word in place of the kind of an event in the dimension of what steps wait for. No event has it, so that none starts
/// a workflow by such a term. Stored, do not change.
pub(super) const WAITS: &str = "waits";

/// The term of a step that waits for changes of a field of an object's records; without a field, for any change.
pub(crate) fn awaited(object: &str, field: Option<&str>) -> String {
    let any = Interest::of(ids::object_topic(object), EventType::FieldUpdated);
    let interest = field.map_or(any.clone(), |field| any.has(&["changes", field]));
    let probes = interest.dimension().replacen(interest.kind.facts().word, WAITS, 1);
    term(&interest.topic, &probes, "")
}

/// The term without its last probe: it is found by more events. `None` of a term without probes.
pub fn widened(term: &str) -> Option<String> {
    let (rest, values) = term.rsplit_once('|')?;
    let (topic, dimension) = rest.rsplit_once('|')?;
    let (dimension, _) = dimension.rsplit_once(PROBE_SEPARATOR)?;
    let values = values.rsplit_once(VALUE_SEPARATOR).map_or("", |(before, _)| before);
    Some(self::term(topic, dimension, values))
}
