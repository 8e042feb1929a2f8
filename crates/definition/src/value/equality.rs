//! Which values are equal.

use serde_json::Value;

use super::number::Exact;

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

/// Whether a field is as it was. A field that is absent is null.
pub fn unchanged(before: Option<&Value>, after: Option<&Value>) -> bool {
    equal(before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null))
}
