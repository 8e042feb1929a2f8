//! `field_updated`.

use std::cmp::Ordering;

use pawl_definition::trigger::{FieldUpdated, ValueTest};
use pawl_definition::{Trigger, Workflow, value};
use serde_json::Value;

use super::{Interest, Match, is_own_object};
use crate::event::EventType;
use crate::{Event, Plan};

impl Match for FieldUpdated {
    fn matches(&self, _: &Trigger, plan: &Plan, event: &Event) -> bool {
        let counts = match event.kind {
            EventType::FieldUpdated => true,
            // A record that comes back from the archive is not new.
            EventType::RecordCreated => self.on_create && event.data.get("unarchived") != Some(&Value::Bool(true)),
            _ => false,
        };
        counts && is_own_object(plan, event) && self.listens_to().any(|field| self.fits(field, event))
    }

    fn interests(&self, _: &Trigger, workflow: &Workflow) -> Vec<Interest> {
        let on_create = self.on_create.then_some(EventType::RecordCreated);
        let kinds = std::iter::once(EventType::FieldUpdated).chain(on_create);
        let any = kinds.filter_map(|kind| Some((kind, Interest::of_object(workflow, kind)?)));
        let on = |(kind, any): (EventType, Interest)| {
            // An event does not tell of the fields with which a record was not created.
            let is_any = kind == EventType::RecordCreated && self.to == Some(ValueTest::Blank);
            let fields =
                self.listens_to().map(|field| if is_any { any.clone() } else { self.on_field(any.clone(), field) });
            fields.collect::<Vec<_>>()
        };
        any.flat_map(on).collect()
    }
}

trait Fits {
    fn fits(&self, field: &str, event: &Event) -> bool;

    /// Takes changes of a field only, with the values that are told by equality.
    fn on_field(&self, any: Interest, field: &str) -> Interest;
}

impl Fits for FieldUpdated {
    fn fits(&self, field: &str, event: &Event) -> bool {
        let change = match event.data.get("changes").and_then(|changes| changes.get(field)) {
            Some(change) => change,
            // A record that is created without the field is created blank.
            None if event.kind == EventType::RecordCreated && self.to == Some(ValueTest::Blank) => &Value::Null,
            None => return false,
        };
        let side = |key: &str| change.get(key).cloned().unwrap_or(Value::Null);
        let (from, to) = (side("from"), side("to"));
        let holds =
            |rule: &Option<ValueTest>, value: &Value| rule.as_ref().is_none_or(|rule| test(rule, value, &from, &to));
        holds(&self.from, &from) && holds(&self.to, &to)
    }

    fn on_field(&self, any: Interest, field: &str) -> Interest {
        // What a value came to be tells more than what it was.
        let sides = [("to", &self.to), ("from", &self.from)];
        let told = sides.into_iter().filter_map(|(side, rule)| Some((side, written(rule.as_ref()?)?)));
        let changed = told.fold(any.clone(), |any, (side, values)| any.with(&["changes", field, side], values));
        if changed == any { any.has(&["changes", field]) } else { changed }
    }
}

/// The values of which one is asked for; none if a test asks something else.
fn written(rule: &ValueTest) -> Option<Vec<Value>> {
    match rule {
        ValueTest::Blank => Some(vec![Value::Null]),
        ValueTest::Equals(expected) => Some(vec![expected.clone()]),
        ValueTest::In(expected) => Some(expected.clone()),
        ValueTest::Any | ValueTest::NotBlank | ValueTest::Added(_) | ValueTest::Removed(_) | ValueTest::Between(..) => {
            None
        }
    }
}

fn test(rule: &ValueTest, value: &Value, from: &Value, to: &Value) -> bool {
    let holds = |list: &Value, one: &Value| list.as_array().is_some_and(|list| list.iter().any(|value| is(value, one)));
    match rule {
        ValueTest::Any => true,
        ValueTest::Blank => value::is_blank(value),
        ValueTest::NotBlank => !value::is_blank(value),
        ValueTest::Equals(expected) => is(value, expected),
        ValueTest::In(expected) => expected.iter().any(|expected| is(value, expected)),
        ValueTest::Added(one) => holds(to, one) && !holds(from, one),
        ValueTest::Removed(one) => holds(from, one) && !holds(to, one),
        ValueTest::Between(least, most) => between(value, least, most),
    }
}

/// Whether a value is the one that an author wrote, who may write a number as text or a text as number; blank values are
/// one.
fn is(value: &Value, written: &Value) -> bool {
    let simple = |value: &Value| !value.is_array() && !value.is_object() && !value.is_null();
    let by_text = || simple(value) && simple(written) && value::named([&value::text_of(written)], value).is_some();
    value::equal(value, written) || (value::is_blank(value) && value::is_blank(written)) || by_text()
}

/// Numbers by size, points in time by time, other texts by their order.
fn between(value: &Value, least: &Value, most: &Value) -> bool {
    let at_least = |value, least| value::order_times(value, least).is_some_and(Ordering::is_ge);
    at_least(value, least) && at_least(most, value)
}
