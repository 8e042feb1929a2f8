//! `application/x-www-form-urlencoded`: WHATWG URL, section 5.1, but what is no text is refused, not replaced, and the
//! charset that the sender says holds for its percent-encoded bytes too.

use pawl_definition::json::{self, Bounds};
use pawl_runtime::body::Charset;
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use super::error::{ContentError, position};

/// The field in which GitHub and Slack send JSON.
const PAYLOAD: &str = "payload";

/// Decodes a form: texts by name, a list where a name is repeated.
pub(super) fn decode(charset: Charset, body: &[u8]) -> Result<Value, ContentError> {
    let mut fields: Map<String, Value> = Map::new();
    let mut at = 0;
    for pair in body.split(|byte| *byte == b'&') {
        let here = at;
        at += pair.len() + 1;
        if pair.is_empty() {
            continue;
        }
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let read = |bytes: &[u8]| read(charset, bytes).ok_or_else(|| malformed(charset, &body[..here]));
        let name = read(&pair[..equals])?;
        let value = Value::String(read(pair.get(equals + 1..).unwrap_or_default())?);
        match fields.get_mut(&name) {
            None => drop(fields.insert(name, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    if let Some(payload) = fields.get_mut(PAYLOAD)
        && let Some(object) = object_in(payload)
    {
        *payload = object;
    }
    let fields = Value::Object(fields);
    let within = json::check(&fields, &Bounds::OUTSIDE);
    within.map_err(|error| ContentError::OutOfBounds { format: "a form", error })?;
    Ok(fields)
}

fn object_in(value: &Value) -> Option<Value> {
    json::parse(value.as_str()?.as_bytes(), &Bounds::OUTSIDE).ok().filter(Value::is_object)
}

fn read(charset: Charset, bytes: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    charset.text(&bytes).ok().map(std::borrow::Cow::into_owned)
}

fn malformed(charset: Charset, before: &[u8]) -> ContentError {
    let (line, column) = position(&String::from_utf8_lossy(before));
    let problem = format!("a field that is not {}", charset.name());
    ContentError::Malformed { format: "a form", line, column, problem }
}
