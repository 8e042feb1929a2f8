//! Mappings: keys that are unknown, and keys that are missing.

use serde_json::{Map, Value};

use super::walk::Walker;
use super::words;
use crate::path::Path;
use crate::problem::code;

impl<'a> Walker<'a, '_> {
    pub(super) fn mapping(&mut self, shape: &'static Value, keys: &'a Map<String, Value>, path: &Path) {
        self.entries(shape, keys, path, (|_: &str| true, |_: &str, _: &Value| None));
        self.missing_keys(shape, keys, path);
    }

    /// Holds the entries of a mapping against its shape. Of the keys of the shape those are named that are `listed`;
    /// `hint` says where an unknown key belongs.
    pub(super) fn entries(
        &mut self,
        shape: &'static Value,
        keys: &'a Map<String, Value>,
        path: &Path,
        (listed, hint): (impl Fn(&str) -> bool, impl Fn(&str, &Value) -> Option<String>),
    ) {
        let known = shape.get("properties").and_then(Value::as_object);
        let other = shape.get("additionalProperties");
        for (key, value) in keys {
            let shape = known.and_then(|known| known.get(key)).or(other);
            match shape {
                Some(Value::Bool(false)) => {
                    let known = known.into_iter().flat_map(Map::keys).map(String::as_str);
                    let known: Vec<_> = known.filter(|known| listed(known)).collect();
                    let near = hint(key, value).or_else(|| words::did_you_mean(key, known.iter().copied()));
                    let message =
                        format!("unknown key {}; expected one of {}", words::quoted(key), words::any_of(known));
                    self.report.error_at_key(code::UNKNOWN_KEY, &path.key(key), message).suggest(near);
                }
                Some(shape) => self.value(shape, value, &path.key(key)),
                None => {}
            }
        }
    }

    pub(super) fn missing_keys(&mut self, shape: &'static Value, keys: &Map<String, Value>, path: &Path) {
        let required = shape.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str).filter(|key| !keys.contains_key(*key)) {
            let about = shape["properties"][key]["description"].as_str().map(in_a_sentence);
            let message =
                format!("missing key {key:?}{}", about.map_or_else(String::new, |about| format!(": {about}")));
            self.report.error(code::MISSING_KEY, path, message);
        }
    }
}

/// A description without its capital and its full stop.
fn in_a_sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_lowercase);
    let second = chars.clone().next();
    if second.is_some_and(char::is_uppercase) { text.to_owned() } else { first.chain(chars).collect() }
}
