//! What is left of a record, and of an execution that read it, once the record is forgotten: ids, numbers, steps, states and
//! times. Every value that may have come from outside becomes `{"forgotten": <time>}`.
//!
//! Each structure is taken apart field by field, so that a new field asks what becomes of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{Creation, Event, Execution, ForkStart, ForkState, Frame, Record, Row, StepError, StepState, Subject};

/// What stands in the place of a value. Stored, do not rename.
pub fn mark(at: Timestamp) -> Value {
    json!({"forgotten": at})
}

/// Whether a value was taken away.
pub fn is_forgotten(value: &Value) -> bool {
    value.as_object().is_some_and(|keys| keys.len() == 1 && keys.contains_key("forgotten"))
}

/// In the place of a text that may quote a value.
fn told(at: Timestamp) -> String {
    format!("forgotten at {at}")
}

fn value(value: &mut Value, at: Timestamp) {
    if !value.is_null() {
        *value = mark(at);
    }
}

fn values(values: &mut Map<String, Value>, at: Timestamp) {
    values.values_mut().for_each(|one| value(one, at));
}

fn text(text: &mut Option<String>, at: Timestamp) {
    if let Some(text) = text {
        *text = told(at);
    }
}

fn error(error: &mut Option<StepError>, at: Timestamp) {
    if let Some(StepError { message, code: _, class: _, retry_after_s: _ }) = error {
        *message = told(at);
    }
}

impl Record {
    /// Takes its values away. It is in the archive then, and takes no others.
    pub fn forget(&mut self, at: Timestamp) {
        let Self { fields, archived_at, forgotten, cause, object: _, id: _, version: _, created_at: _, updated_at } =
            self;
        values(fields, at);
        (*archived_at, *forgotten, *cause, *updated_at) = (Some(at), Some(at), None, at);
    }
}

impl Event {
    /// Takes its values away.
    pub fn forget(&mut self, at: Timestamp) {
        let Self {
            data,
            creation,
            id: _,
            kind: _,
            workflow: _,
            trigger: _,
            subject: _,
            occurred_at: _,
            cause: _,
            parent: _,
            region,
            fork,
            debug: _,
        } = self;
        values(data, at);
        if let Some(start) = region {
            values(&mut start.variables, at);
            start.steps.values_mut().for_each(|state| state.forget(at));
            if let Some(item) = &mut start.item {
                value(&mut item.value, at);
            }
        }
        if let Some(Creation { fields }) = creation {
            values(fields, at);
        }
        if let Some(start) = fork {
            start.forget(at);
        }
    }
}

impl ForkStart {
    fn forget(&mut self, at: Timestamp) {
        let Self { fork: _, event: _, act, values: given, state, revision: _, read: _ } = self;
        text(&mut act.reason, at);
        values(given, at);
        if let Some(ForkState { variables, steps, visits: _, failed_steps: _, returns_to: _ }) = state {
            values(variables, at);
            for state in steps.values_mut() {
                state.forget(at);
            }
        }
    }
}

impl Row {
    /// Takes its values away, and what it was decided on: it cannot be decided again.
    pub fn forget(&mut self, at: Timestamp) {
        let Self {
            input,
            output,
            error: failure,
            note,
            trace,
            observed,
            seq: _,
            at: _,
            kind: _,
            revision: _,
            step: _,
            address: _,
            step_type: _,
            status: _,
            visit: _,
            attempt: _,
            started_at: _,
            attempt_started_at: _,
            branch: _,
            actor: _,
            due: _,
            usage: _,
            trigger: _,
            execution: _,
        } = self;
        for one in [input, output, trace, observed] {
            value(one, at);
        }
        error(failure, at);
        text(note, at);
    }
}

impl StepState {
    fn forget(&mut self, at: Timestamp) {
        let Self {
            output,
            error: failure,
            checkpoint,
            kept,
            status: _,
            visit: _,
            fresh_visits: _,
            attempt: _,
            interrupted: _,
            started_at: _,
            attempt_started_at: _,
        } = self;
        value(output, at);
        value(checkpoint, at);
        value(kept, at);
        error(failure, at);
    }
}

impl Frame {
    fn forget(&mut self, at: Timestamp) {
        let Self { step: _, item, variables, unset: _, steps: _, error: failure } = self;
        value(&mut item.value, at);
        values(variables, at);
        error(failure, at);
    }
}

impl Execution {
    /// Takes its values away. Only one that has ended needs none of them any more.
    pub fn forget(&mut self, at: Timestamp) {
        self.forgotten = Some(at);
        values(&mut self.variables, at);
        values(&mut self.overrides, at);
        self.frames.iter_mut().for_each(|frame| frame.forget(at));
        if let Some(item) = &mut self.item {
            value(&mut item.value, at);
        }
        value(&mut self.since, at);
        value(&mut self.output, at);
        self.steps.values_mut().for_each(|state| state.forget(at));
        text(&mut self.reason, at);
        text(&mut self.slot_key, at);
        error(&mut self.error, at);
    }
}

/// Whether a value shows a record, as rows and outputs do: an object with the record's `object` and `id`, or `o` and `i` in
/// what a decision observed.
pub fn shows(value: &Value, record: &Subject) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| shows(item, record)),
        Value::Object(keys) => {
            let is = |key: &str, expected: &str| keys.get(key).and_then(Value::as_str) == Some(expected);
            let names = |object: &str, id: &str| is(object, &record.object) && is(id, &record.id);
            names("object", "id") || names("o", "i") || keys.values().any(|item| shows(item, record))
        }
        _ => false,
    }
}

/// The records that a value shows.
pub fn shown(value: &Value, records: &mut BTreeSet<Subject>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| shown(item, records)),
        Value::Object(keys) => {
            let text = |key: &str| keys.get(key).and_then(Value::as_str);
            for names in [("object", "id"), ("o", "i")] {
                if let (Some(object), Some(id)) = (text(names.0), text(names.1)) {
                    records.insert(Subject { object: object.to_owned(), id: id.to_owned() });
                }
            }
            keys.values().for_each(|item| shown(item, records));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shown_by_its_object_and_id_together() {
        let record = Subject { object: "person".to_owned(), id: "1".to_owned() };
        for shown in [
            json!({"object": "person", "id": "1", "email": "a@example.com"}),
            json!([{"related": {"buyer": [{"o": "person", "i": "1", "v": 3}]}}]),
            json!({"in": {"event": {"subject": {"object": "person", "id": "1"}}}}),
        ] {
            assert!(shows(&shown, &record), "{shown}");
            let mut all = BTreeSet::new();
            super::shown(&shown, &mut all);
            assert_eq!(all, BTreeSet::from([record.clone()]), "{shown}");
        }
        for other in
            [json!("1"), json!({"id": "1"}), json!({"object": "person", "id": "2"}), json!({"o": "deal", "i": "1"})]
        {
            assert!(!shows(&other, &record), "{other}");
        }
    }
}
