//! The bounds on values that were made inside: by expressions, templates, records and answers put together.

use serde_json::Value;

use super::Bounds;
use super::error::{Error, ErrorKind};

/// Checks a value. It is gone through without recursion, since its depth is what is in question.
///
/// # Errors
/// The first bound that it exceeds. Bytes are those of texts and keys, and one for each other value.
pub fn check(value: &Value, bounds: &Bounds) -> Result<(), Error> {
    let (mut values, mut bytes) = (0, 0);
    let mut pending = vec![(value, 1)];
    let refused = |kind| Err(Error { kind, place: None });
    while let Some((value, level)) = pending.pop() {
        values += 1;
        bytes += value.as_str().map_or(1, str::len);
        let is_nested = value.is_array() || value.is_object();
        if is_nested && level > bounds.depth {
            return refused(ErrorKind::TooDeep { limit: bounds.depth });
        }
        match value {
            Value::Array(elements) => pending.extend(elements.iter().map(|element| (element, level + 1))),
            Value::Object(entries) => {
                bytes += entries.keys().map(String::len).sum::<usize>();
                if entries.keys().any(|key| key.len() > bounds.key_bytes) {
                    return refused(ErrorKind::TooLarge { limit: bounds.key_bytes, unit: "bytes in a key" });
                }
                pending.extend(entries.values().map(|entry| (entry, level + 1)));
            }
            _ => {}
        }
        if values > bounds.values {
            return refused(ErrorKind::TooLarge { limit: bounds.values, unit: "values" });
        }
        if bytes > bounds.bytes {
            return refused(ErrorKind::TooLarge { limit: bounds.bytes, unit: "bytes" });
        }
    }
    Ok(())
}

/// Bytes of the texts and keys of a value, and one for each other value: about as much as it takes when it is written.
pub fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(bytes).sum::<usize>() + 1,
        Value::Object(entries) => entries.iter().map(|(key, value)| key.len() + bytes(value)).sum::<usize>() + 1,
        _ => 1,
    }
}

/// Levels of nesting of a value: 0 for a simple one.
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut pending = vec![(value, 0)];
    while let Some((value, level)) = pending.pop() {
        match value {
            Value::Array(elements) => pending.extend(elements.iter().map(|element| (element, level + 1))),
            Value::Object(entries) => pending.extend(entries.values().map(|entry| (entry, level + 1))),
            _ => continue,
        }
        deepest = deepest.max(level + 1);
    }
    deepest
}
