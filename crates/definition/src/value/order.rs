//! How values are ordered.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::blank::is_blank;
use super::equality::equal;
use super::number::Exact;

/// The order of two values of one type, as `<` has it: booleans (false first), numbers by their exact values, texts by
/// code point. Other pairs have none.
pub fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => Some(Exact::of(left).cmp(&Exact::of(right))),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// The same where texts may be points in time: two of those are ordered by time.
pub fn order_times(left: &Value, right: &Value) -> Option<Ordering> {
    match (moment(left), moment(right)) {
        (Some(earlier), Some(later)) => Some(earlier.cmp(&later)),
        _ => order(left, right),
    }
}

/// The order of any two values: booleans, numbers, texts, lists, objects, and blank values last. Lists are ordered by
/// their first elements that differ, objects by their first keys. It is total, and of two values neither is first if,
/// and only if, they are equal.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    let ranked = rank(left).cmp(&rank(right)).then_with(|| kind(left).cmp(&kind(right)));
    ranked.then_with(|| match (left, right) {
        (Value::Array(left), Value::Array(right)) => compare_lists(left, right),
        (Value::Object(left), Value::Object(right)) => compare_objects(left, right),
        _ => order(left, right).unwrap_or(Ordering::Equal),
    })
}

/// The order of any two values where texts are points in time: those come by time, before other texts.
pub fn compare_times(left: &Value, right: &Value) -> Ordering {
    match (moment(left), moment(right)) {
        (Some(earlier), Some(later)) => earlier.cmp(&later).then_with(|| compare(left, right)),
        (Some(_), None) if right.is_string() && !is_blank(right) => Ordering::Less,
        (None, Some(_)) if left.is_string() && !is_blank(left) => Ordering::Greater,
        _ => compare(left, right),
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn rank(value: &Value) -> u8 {
    if is_blank(value) { kind(&Value::Object(Map::new())) + 1 } else { kind(value) }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

fn compare_lists(left: &[Value], right: &[Value]) -> Ordering {
    let differing = left.iter().zip(right).find(|(left, right)| !equal(left, right));
    differing.map_or_else(|| left.len().cmp(&right.len()), |(left, right)| compare(left, right))
}

fn compare_objects(left: &Map<String, Value>, right: &Map<String, Value>) -> Ordering {
    let (left, right) = (sorted(left), sorted(right));
    for ((left_key, left), (right_key, right)) in left.iter().zip(&right) {
        let order = left_key.cmp(right_key).then_with(|| compare(left, right));
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// The entries of an object by their keys, however the object keeps them.
pub(super) fn sorted(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}
