//! Shapes with alternatives: `pause` or a list of steps, `none` or `{github: …}`, a value or `{set: …}`.

use serde_json::{Map, Value};

use super::shapes::Shapes;
use super::walk::{Walker, allowed_words, has_type};
use super::words;
use crate::path::Path;
use crate::problem::code;
use crate::schema::reference;

impl<'a> Walker<'a, '_> {
    /// Finds the alternative that is meant, and holds the value against it.
    pub(super) fn choice(&mut self, shape: &'static Value, value: &'a Value, path: &Path) {
        let mut alternatives = Vec::new();
        flatten(shape, self.shapes, &mut alternatives);
        let before = alternatives.len();
        alternatives.retain(|one| !is_null(one));
        if value.is_null() && alternatives.len() < before {
            return;
        }
        if let [only] = alternatives.as_slice() {
            return self.value(only, value, path);
        }
        match value {
            Value::String(_) => self.chosen_text(shape, &alternatives, value, path),
            Value::Object(keys) => self.chosen_mapping(shape, &alternatives, keys, (value, path)),
            _ => self.chosen_type(shape, &alternatives, value, path),
        }
    }

    fn chosen_text(&mut self, shape: &'static Value, alternatives: &[&'static Value], value: &'a Value, path: &Path) {
        let words: Vec<_> = alternatives.iter().filter_map(|one| allowed_words(one)).flatten().collect();
        if value.as_str().is_some_and(|word| words.contains(&word)) {
            return;
        }
        let free = alternatives.iter().find(|one| allowed_words(one).is_none() && takes_text(one));
        match free {
            Some(free) => self.value(free, value, path),
            None if words.is_empty() => self.wrong_type(shape, value, path),
            None => {
                let message = format!(
                    "expected {}, found {}",
                    super::expected::expected(shape, self.shapes),
                    words::found(value)
                );
                let near = words::did_you_mean(value.as_str().unwrap_or_default(), words);
                self.report.error(code::UNKNOWN_WORD, path, message).suggest(near);
            }
        }
    }

    fn chosen_mapping(
        &mut self,
        shape: &'static Value,
        alternatives: &[&'static Value],
        keys: &'a Map<String, Value>,
        (value, path): (&'a Value, &Path),
    ) {
        let fits = |one: &&&'static Value| {
            properties(one).is_some_and(|known| !keys.is_empty() && keys.keys().all(|key| known.contains_key(key)))
        };
        if let Some(fitting) = alternatives.iter().find(fits) {
            return self.value(fitting, value, path);
        }
        if let Some(free) = alternatives.iter().find(|one| reference(one) == Some("Template")) {
            return self.value(free, value, path);
        }
        if let Some(mapping) = only_mapping(alternatives) {
            return self.value(mapping, value, path);
        }
        let tags: Vec<_> =
            alternatives.iter().filter_map(|one| properties(one)).flat_map(Map::keys).map(String::as_str).collect();
        let found: Vec<_> = keys.keys().map(String::as_str).collect();
        match found.as_slice() {
            _ if tags.is_empty() => self.wrong_type(shape, value, path),
            [one] => {
                let message = format!(
                    "unknown key {}; expected one of {}",
                    words::quoted(one),
                    words::any_of(tags.iter().copied())
                );
                let near = words::did_you_mean(one, tags);
                self.report.error_at_key(code::UNKNOWN_KEY, &path.key(one), message).suggest(near);
            }
            found => {
                let message =
                    format!("expected exactly one of the keys {}, found {}", words::any_of(tags), found.join(", "));
                self.report.error(code::EXACTLY_ONE, path, message.replace("found ;", "found none;"));
            }
        }
    }

    fn chosen_type(&mut self, shape: &'static Value, alternatives: &[&'static Value], value: &'a Value, path: &Path) {
        let free =
            |one: &&&'static Value| matches!(reference(one), Some("Template" | "Expression" | "Duration" | "Offset"));
        let typed =
            |one: &&&'static Value| reference(one).is_none() && allowed_words(one).is_none() && has_type(one, value);
        match alternatives.iter().find(typed).or_else(|| alternatives.iter().find(free)) {
            Some(one) => self.value(one, value, path),
            None => self.wrong_type(shape, value, path),
        }
    }
}

/// The one alternative that is a mapping, if it has several keys: a key that is unknown is one of its own.
fn only_mapping(alternatives: &[&'static Value]) -> Option<&'static Value> {
    let mut mappings = alternatives.iter().filter_map(|one| Some((*one, properties(one)?)));
    let (only, keys) = mappings.next()?;
    (keys.len() > 1 && mappings.next().is_none()).then_some(only)
}

/// The alternatives of a shape, those of its alternatives included.
fn flatten(shape: &'static Value, shapes: &'static Shapes, into: &mut Vec<&'static Value>) {
    let own = matches!(reference(shape), Some("Step" | "Trigger" | "Expression" | "Template" | "Duration" | "Offset"));
    let definition = reference(shape).filter(|_| !own).and_then(|name| shapes.definition(name));
    let shape = definition.unwrap_or(shape);
    match shape.get("oneOf").or_else(|| shape.get("anyOf")).and_then(Value::as_array) {
        Some(alternatives) => alternatives.iter().for_each(|one| flatten(one, shapes, into)),
        None => into.push(shape),
    }
}

fn is_null(shape: &Value) -> bool {
    shape.get("type").and_then(Value::as_str) == Some("null")
}

fn takes_text(shape: &Value) -> bool {
    reference(shape).is_some() || has_type(shape, &Value::String(String::new()))
}

fn properties(shape: &Value) -> Option<&Map<String, Value>> {
    shape.get("properties")?.as_object()
}
