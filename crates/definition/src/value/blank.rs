//! What is blank.

use serde_json::Value;

/// Whether a value is blank: null, a text without letters (empty, or white space alone), an empty list or object.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => is_blank_text(text),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a text has no letters.
pub fn is_blank_text(text: &str) -> bool {
    text.trim_start().is_empty()
}
