//! Keys of values, by which records are found and unique values are claimed.

use serde_json::Value;

use super::blank::is_blank;
use super::number::number_text;
use super::order::sorted;

/// The key of a value: the same of two values if, and only if, they are equal. `None` of a blank value, by which nothing
/// is found. Stored, do not rename: a letter for the type, then the text, the number, or JSON with its keys in order.
pub fn index_key(value: &Value) -> Option<String> {
    if is_blank(value) {
        return None;
    }
    Some(match value {
        Value::String(text) => format!("t{text}"),
        Value::Number(number) => format!("n{}", number_text(number)),
        Value::Bool(truth) => format!("b{truth}"),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let mut json = "j".to_owned();
            write(value, &mut json);
            json
        }
    })
}

fn write(value: &Value, json: &mut String) {
    match value {
        Value::Number(number) => json.push_str(&number_text(number)),
        Value::Array(elements) => {
            json.push('[');
            for (place, element) in elements.iter().enumerate() {
                json.push_str(if place > 0 { "," } else { "" });
                write(element, json);
            }
            json.push(']');
        }
        Value::Object(entries) => {
            json.push('{');
            for (place, (key, value)) in sorted(entries).into_iter().enumerate() {
                json.push_str(if place > 0 { "," } else { "" });
                json.push_str(&Value::String(key.clone()).to_string());
                json.push(':');
                write(value, json);
            }
            json.push('}');
        }
        simple => json.push_str(&simple.to_string()),
    }
}
