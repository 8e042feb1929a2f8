//! Placeholders of secrets: what `secret("name")` gives in place of the secret itself.
//!
//! A placeholder is `U+E000 secret:<name> U+E001`, or `U+E000 encoded:<encoder>:<argument>… U+E001` for what an encoder of
//! the language makes of a secret; its arguments are percent-encoded, the placeholders in them too. The two private-use
//! characters never come from data: where secrets are allowed, they are replaced in every value that an expression reads,
//! so that nobody outside can name a secret.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;

use super::encoding::Encoder;

/// Opens a placeholder. Stored, do not change.
const OPEN: char = '\u{E000}';
/// Closes a placeholder. Stored, do not change.
const CLOSE: char = '\u{E001}';
/// Follows the opening character. Stored, do not change.
const SECRET: &str = "secret:";
/// Follows the opening character of what an encoder makes. Stored, do not change.
const ENCODED: &str = "encoded:";

/// Gives the placeholder of a secret.
pub fn secret_placeholder(name: &str) -> String {
    format!("{OPEN}{SECRET}{name}{CLOSE}")
}

/// Gives the placeholder of what an encoder makes of arguments that name secrets.
pub(super) fn encoded_placeholder(encoder: Encoder, arguments: &[Vec<u8>]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|bytes| Encoder::Percent.apply(&[bytes])).collect();
    format!("{OPEN}{ENCODED}{}:{}{CLOSE}", encoder.word(), arguments.join(":"))
}

/// What stands in the place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder<'a>(Kind<'a>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind<'a> {
    /// The secret of this name.
    Secret(&'a str),
    /// What an encoder makes of these.
    Encoded(Encoder, Vec<Vec<u8>>),
}

impl<'a> Placeholder<'a> {
    fn read(inside: &'a str) -> Option<Self> {
        if let Some(name) = inside.strip_prefix(SECRET) {
            return Some(Self(Kind::Secret(name)));
        }
        let mut parts = inside.strip_prefix(ENCODED)?.split(':');
        let encoder = Encoder::of_word(parts.next()?)?;
        let arguments = parts.map(|part| percent_encoding::percent_decode_str(part).collect());
        Some(Self(Kind::Encoded(encoder, arguments.collect())))
    }

    /// The names of the secrets in it.
    pub fn names(&self) -> BTreeSet<String> {
        match &self.0 {
            Kind::Secret(name) => BTreeSet::from([(*name).to_owned()]),
            Kind::Encoded(_, arguments) => {
                let texts = arguments.iter().map(|bytes| String::from_utf8_lossy(bytes));
                texts
                    .flat_map(|text| placeholders(&text).flat_map(|(_, inner)| inner.names()).collect::<Vec<_>>())
                    .collect()
            }
        }
    }

    /// What it stands for, given the secrets by name; one that is not given is empty.
    pub fn filled(&self, secrets: &BTreeMap<String, String>) -> String {
        match &self.0 {
            Kind::Secret(name) => secrets.get(*name).cloned().unwrap_or_default(),
            Kind::Encoded(encoder, arguments) => {
                let fill = |bytes: &Vec<u8>| match str::from_utf8(bytes) {
                    Ok(text) => replace(text, |inner| inner.filled(secrets)).into_bytes(),
                    Err(_) => bytes.clone(),
                };
                let arguments: Vec<Vec<u8>> = arguments.iter().map(fill).collect();
                encoder.apply(&arguments.iter().map(Vec::as_slice).collect::<Vec<_>>())
            }
        }
    }
}

/// How a placeholder is shown to people: `[secret:<name>]`.
fn shown(placeholder: &Placeholder<'_>) -> String {
    let names: Vec<_> = placeholder.names().iter().map(|name| format!("[secret:{name}]")).collect();
    names.concat()
}

/// Finds the placeholders of a text in order, with the bytes that each occupies.
pub fn placeholders(text: &str) -> impl Iterator<Item = (Range<usize>, Placeholder<'_>)> {
    text.match_indices(OPEN).filter_map(|(at, open)| {
        let rest = &text[at + open.len()..];
        let inside = &rest[..rest.find(CLOSE)?];
        let end = at + open.len() + inside.len() + CLOSE.len_utf8();
        let placeholder = Placeholder::read(inside).filter(|_| !inside.contains(OPEN))?;
        Some((at..end, placeholder))
    })
}

/// Replaces every placeholder, keys of objects included, by `[secret:<name>]`.
pub fn redact(value: &Value) -> Value {
    map_text(value, &redact_text)
}

/// Replaces every placeholder of a text by `[secret:<name>]`.
pub fn redact_text(text: &str) -> String {
    replace(text, shown)
}

fn replace(text: &str, by: impl Fn(&Placeholder<'_>) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, placeholder) in placeholders(text) {
        out.push_str(&text[done..range.start]);
        out.push_str(&by(&placeholder));
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
        assert_eq!(found.iter().map(|(_, one)| shown(one)).collect::<Vec<_>>(), ["[secret:api key]", "[secret:b]"]);
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
        assert_eq!(placeholders(&nested).map(|(_, one)| shown(&one)).collect::<Vec<_>>(), ["[secret:a]"]);
    }

    #[test]
    fn what_an_encoder_makes_of_a_secret_is_filled_in_later() {
        let secrets = BTreeMap::from([("user".to_owned(), "me".to_owned()), ("pw".to_owned(), "s:3".to_owned())]);
        let inner = format!("{}:{}", secret_placeholder("user"), secret_placeholder("pw"));
        let basic = encoded_placeholder(Encoder::Base64, &[inner.into_bytes()]);
        let text = format!("Basic {basic}");
        assert_eq!(redact_text(&text), "Basic [secret:pw][secret:user]");
        assert_eq!(replace(&text, |one| one.filled(&secrets)), "Basic bWU6czoz");
        let twice = encoded_placeholder(Encoder::Percent, &[basic.into_bytes()]);
        let found: Vec<_> = placeholders(&twice).map(|(_, one)| one).collect();
        assert_eq!(found[0].names(), BTreeSet::from(["pw".to_owned(), "user".to_owned()]));
        assert_eq!(found[0].filled(&secrets), "bWU6czoz");
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
