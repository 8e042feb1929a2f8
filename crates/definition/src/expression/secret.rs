//! Placeholders of secrets: what `secret("name")` gives in place of the secret itself.
//!
//! A placeholder is `U+E000 secret:<name> U+E001`. The two private-use characters never come from data: where secrets
//! are allowed, they are replaced in every value that an expression reads, so that nobody outside can name a secret.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

/// Opens a placeholder. Stored, do not change.
const OPEN: char = '\u{E000}';
/// Closes a placeholder. Stored, do not change.
const CLOSE: char = '\u{E001}';
/// Follows the opening character. Stored, do not change.
const TAG: &str = "secret:";

/// Gives the placeholder of a secret.
pub fn secret_placeholder(name: &str) -> String {
    format!("{OPEN}{TAG}{name}{CLOSE}")
}

/// Finds the placeholders of a text in order: the bytes that each occupies, and the secret's name.
pub fn placeholders(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices(OPEN).filter_map(|(at, open)| {
        let rest = text[at + open.len()..].strip_prefix(TAG)?;
        let name = &rest[..rest.find(CLOSE)?];
        let start = at + open.len() + TAG.len();
        (!name.contains(OPEN)).then(|| (at..start + name.len() + CLOSE.len_utf8(), name))
    })
}

/// Replaces every placeholder, keys of objects included, by `[secret:<name>]`.
pub fn redact(value: &Value) -> Value {
    map_text(value, &redact_text)
}

/// Replaces every placeholder of a text by `[secret:<name>]`.
pub fn redact_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, name) in placeholders(text) {
        out.push_str(&text[done..range.start]);
        out.push_str("[secret:");
        out.push_str(name);
        out.push(']');
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Takes the power to name a secret from a value that came from outside.
pub(super) fn disarm(value: Cow<'_, Value>) -> Cow<'_, Value> {
    if armed(&value) { Cow::Owned(map_text(&value, &|text| text.replace([OPEN, CLOSE], "\u{FFFD}"))) } else { value }
}

fn armed(value: &Value) -> bool {
    let text = |text: &String| text.contains([OPEN, CLOSE]);
    match value {
        Value::String(found) => text(found),
        Value::Array(values) => values.iter().any(armed),
        Value::Object(keys) => keys.iter().any(|(key, value)| text(key) || armed(value)),
        _ => false,
    }
}

fn map_text(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(values) => values.iter().map(|value| map_text(value, change)).collect(),
        Value::Object(keys) => keys.iter().map(|(key, value)| (change(key), map_text(value, change))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_found_with_their_place_and_name() {
        let text = format!("Bearer {}, then {}.", secret_placeholder("api key"), secret_placeholder("b"));
        let found: Vec<_> = placeholders(&text).collect();
        assert_eq!(found.iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["api key", "b"]);
        assert_eq!(&text[found[1].0.clone()], secret_placeholder("b"));
        assert_eq!(&text[..found[0].0.start], "Bearer ");
        assert_eq!(&text[found[1].0.end..], ".");
    }

    #[test]
    fn halves_of_placeholders_are_none() {
        for text in ["", "\u{E000}", "\u{E000}secret:", "\u{E000}secret:a", "secret:a\u{E001}", "\u{E000}other\u{E001}"]
        {
            assert_eq!(placeholders(text).count(), 0, "{text:?}");
        }
        let nested = format!("\u{E000}secret:{}", secret_placeholder("a"));
        assert_eq!(placeholders(&nested).map(|(_, name)| name).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn redaction_reaches_every_text_and_key() {
        let value = json!({
            "headers": [{"authorization": format!("Bearer {}", secret_placeholder("key"))}],
            (secret_placeholder("name")): 1,
        });
        assert_eq!(redact(&value), json!({"headers": [{"authorization": "Bearer [secret:key]"}], "[secret:name]": 1}));
    }

    #[test]
    fn values_from_outside_cannot_name_a_secret() {
        let value = json!({"text": [secret_placeholder("key")], (secret_placeholder("b")): null});
        let disarmed = disarm(Cow::Owned(value)).into_owned();
        assert!(!armed(&disarmed));
        assert_eq!(redact(&disarmed), disarmed);
        assert!(matches!(disarm(Cow::Borrowed(&json!({"a": [1, "x"]}))), Cow::Borrowed(_)), "nothing to change");
    }
}
