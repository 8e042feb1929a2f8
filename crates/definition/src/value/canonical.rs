//! The one way in which a value is written.

use serde_json::Value;

use super::number::{canonical_number, number_text};

/// A value with each number in its one way of being written: `59` for 59.0. Equal values are then the same JSON, keys
/// left in their order.
pub fn canonical(mut value: Value) -> Value {
    settle(&mut value);
    value
}

fn settle(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => *number = canonical_number(number),
        Value::Array(elements) => elements.iter_mut().for_each(settle),
        Value::Object(entries) => entries.values_mut().for_each(settle),
        _ => {}
    }
}

/// A value as it is put into a text, and as it is looked up by its text: null is nothing, a text itself, a number as
/// [`number_text`](super::number_text) writes it, lists and objects as JSON.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number_text(number),
        Value::Array(_) | Value::Object(_) => canonical(value.clone()).to_string(),
    }
}
