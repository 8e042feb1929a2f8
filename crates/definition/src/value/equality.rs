//! Which values are equal.

use serde_json::Value;

use super::canonical::text_of;
use super::number::{Exact, read_number};

/// Whether two values are equal, at any depth.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Exact::of(left) == Exact::of(right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let same = |(key, left): (&String, &Value)| right.get(key).is_some_and(|right| equal(left, right));
            left.len() == right.len() && left.iter().all(same)
        }
        _ => left == right,
    }
}

/// Whether a list has an element that equals a value.
pub fn contains(list: &[Value], sought: &Value) -> bool {
    list.iter().any(|element| equal(element, sought))
}

/// The key, of those that an author writes as text, that names a value: the text itself, an equal number in any spelling,
/// or `true`, `false`, `null`, or JSON.
pub fn named<'a>(keys: impl IntoIterator<Item = &'a String>, value: &Value) -> Option<&'a str> {
    let names = |key: &str| match value {
        Value::String(text) => key == text,
        Value::Number(number) => read_number(key).is_ok_and(|key| Exact::of(&key) == Exact::of(number)),
        Value::Null => key == "null",
        other => key == text_of(other),
    };
    keys.into_iter().map(String::as_str).find(|key| names(key))
}

/// Whether a field is as it was. A field that is absent is null.
pub fn unchanged(before: Option<&Value>, after: Option<&Value>) -> bool {
    equal(before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null))
}
