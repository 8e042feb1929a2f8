//! The text under which a value is looked up.

use serde_json::Value;

use super::blank::is_blank;
use super::key::index_key;
use super::number::{number_text, read_number};

/// The text under which a value is looked up, in an index whose finds are looked at again: the same of two values that
/// are equal, of a number and a text that says it, of `true` and `"true"`, and of all blank values. Two values that have
/// it in common need not be equal. Stored, do not rename.
pub fn lookup_text(value: &Value) -> String {
    if is_blank(value) {
        return String::new();
    }
    match value {
        Value::String(text) => read_number(text).map_or_else(|_| text.clone(), |number| number_text(&number)),
        Value::Number(number) => number_text(number),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => index_key(value).unwrap_or_default(),
    }
}
