//! `field_updated`.

use pawl_definition::trigger::{FieldUpdated, ValueTest};
use pawl_definition::{Trigger, Workflow};
use serde_json::Value;

use super::{Hear, is_own_object, object_topic};
use crate::event::EventType;
use crate::{Event, Plan, coerce};

impl Hear for FieldUpdated {
    fn hears(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        let counts = match event.kind {
            EventType::FieldUpdated => true,
            // A record that comes back from the archive is not new.
            EventType::RecordCreated => self.on_create && event.data.get("unarchived") != Some(&Value::Bool(true)),
            EventType::Manual | EventType::Webhook | EventType::StateMachineEnded | EventType::CalledBack => false,
        };
        counts && is_own_object(plan, event) && self.listens_to().any(|field| self.fits(field, event))
    }

    fn topic(&self, _: &Trigger, workflow: &Workflow) -> Option<String> {
        object_topic(workflow)
    }
}

trait Fits {
    fn fits(&self, field: &str, event: &Event) -> bool;
}

impl Fits for FieldUpdated {
    fn fits(&self, field: &str, event: &Event) -> bool {
        let Some(change) = event.data.get("changes").and_then(|changes| changes.get(field)) else { return false };
        let side = |key: &str| change.get(key).cloned().unwrap_or(Value::Null);
        let (from, to) = (side("from"), side("to"));
        let holds =
            |rule: &Option<ValueTest>, value: &Value| rule.as_ref().is_none_or(|rule| test(rule, value, &from, &to));
        holds(&self.from, &from) && holds(&self.to, &to)
    }
}

fn test(rule: &ValueTest, value: &Value, from: &Value, to: &Value) -> bool {
    let holds = |list: &Value, one: &Value| list.as_array().is_some_and(|list| list.contains(one));
    match rule {
        ValueTest::Any => true,
        ValueTest::Blank => coerce::is_blank(value),
        ValueTest::NotBlank => !coerce::is_blank(value),
        ValueTest::Equals(expected) => value == expected,
        ValueTest::In(expected) => expected.contains(value),
        ValueTest::Added(one) => holds(to, one) && !holds(from, one),
        ValueTest::Removed(one) => holds(from, one) && !holds(to, one),
        ValueTest::Between(least, most) => between(value, least, most),
    }
}

/// Numbers by size; texts by their order, which is right for dates and times in UTC.
fn between(value: &Value, least: &Value, most: &Value) -> bool {
    if let (Some(value), Some(least), Some(most)) = (value.as_f64(), least.as_f64(), most.as_f64()) {
        return least <= value && value <= most;
    }
    match (value.as_str(), least.as_str(), most.as_str()) {
        (Some(value), Some(least), Some(most)) => least <= value && value <= most,
        _ => false,
    }
}
