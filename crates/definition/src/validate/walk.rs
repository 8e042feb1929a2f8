//! The walk: holds a file against the shapes, and notes what it meets.

use regex::Regex;
use serde_json::Value;

use super::expected::expected;
use super::found::{ExpressionSite, Found, Owner};
use super::report::Report;
use super::shapes::{Shapes, shapes};
use super::words;
use crate::expression::end_of_expression;
use crate::path::Path;
use crate::problem::code;
use crate::schema::reference;
use crate::{Duration, ExpressionError};

/// Walks one file. Every method takes a shape, the value that should have it, and where it stands.
#[derive(Debug)]
pub(super) struct Walker<'a, 'r> {
    pub(super) shapes: &'static Shapes,
    pub(super) report: &'r mut Report<'a>,
    pub(super) found: Found<'a>,
    pub(super) owner: Owner,
}

impl<'a, 'r> Walker<'a, 'r> {
    pub(super) fn new(report: &'r mut Report<'a>) -> Self {
        Self { shapes: shapes(), report, found: Found::default(), owner: Owner::Workflow }
    }

    pub(super) fn value(&mut self, shape: &'static Value, value: &'a Value, path: &Path) {
        if let Some(name) = reference(shape) {
            return self.named(name, value, path);
        }
        if shape.get("oneOf").is_some() || shape.get("anyOf").is_some() {
            return self.choice(shape, value, path);
        }
        if let Some(words) = allowed_words(shape) {
            return self.word(shape, &words, value, path);
        }
        if !has_type(shape, value) {
            return self.wrong_type(shape, value, path);
        }
        match value {
            Value::Object(keys) => self.mapping(shape, keys, path),
            Value::Array(values) => self.list(shape, values, path),
            Value::String(text) => self.text(shape, text, path),
            Value::Number(_) => self.number(shape, value, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn named(&mut self, name: &str, value: &'a Value, path: &Path) {
        match name {
            "Step" => self.step(value, path),
            "Trigger" => self.trigger(value, path),
            "Expression" => self.expression(value, path),
            "Template" => self.template(value, path),
            "Duration" => self.duration(value, path, false),
            "Offset" => self.duration(value, path, true),
            _ => {
                let shape = self.shapes.definition(name).expect("every reference has a definition");
                self.value(shape, value, path);
            }
        }
    }

    fn list(&mut self, shape: &'static Value, values: &'a [Value], path: &Path) {
        if let Some(shapes) = shape.get("prefixItems").and_then(Value::as_array) {
            if shapes.len() != values.len() {
                let message = format!("expected a list of {} values, found {}", shapes.len(), values.len());
                self.report.error(code::WRONG_TYPE, path, message);
            }
            for (at, (shape, value)) in shapes.iter().zip(values).enumerate() {
                self.value(shape, value, &path.index(at));
            }
            return;
        }
        if values.is_empty() && shape.get("minItems").is_some() {
            self.report.error(code::INVALID_VALUE, path, "expected at least one value, found an empty list");
        }
        let Some(items) = shape.get("items") else { return };
        if let (Some("Step"), Owner::Step(step)) = (reference(items), self.owner) {
            self.found.steps[step].branches.push(path.clone());
        }
        for (at, value) in values.iter().enumerate() {
            self.value(items, value, &path.index(at));
        }
    }

    fn text(&mut self, shape: &Value, text: &str, path: &Path) {
        let Some(pattern) = shape.get("pattern").and_then(Value::as_str) else { return };
        let regex = self.shapes.patterns.get(pattern).expect("every pattern is compiled");
        if regex.is_match(text) {
            return;
        }
        let shown = pattern.trim_start_matches('^').trim_end_matches('$');
        let message = format!("expected a text of the form {shown}, found {}", words::quoted(text));
        let near = near_id(text, regex).map(|near| format!("did you mean {near:?}?"));
        self.report.error(code::INVALID_ID, path, message).suggest(near);
    }

    fn number(&mut self, shape: &Value, value: &Value, path: &Path) {
        let bound = |key: &str| shape.get(key).and_then(Value::as_f64);
        let found = value.as_f64().unwrap_or_default();
        let (least, most) = (bound("minimum"), bound("maximum"));
        if least.is_some_and(|least| found < least) || most.is_some_and(|most| found > most) {
            let expected = match (least, most) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("of at least {least}"),
                (_, most) => format!("of at most {}", most.unwrap_or_default()),
            };
            self.report.error(code::OUT_OF_RANGE, path, format!("expected a number {expected}, found {value}"));
        }
    }

    pub(super) fn word(&mut self, shape: &Value, allowed: &[&str], value: &Value, path: &Path) {
        match value {
            Value::String(word) if allowed.contains(&word.as_str()) => {}
            Value::String(word) => {
                let message =
                    format!("expected {}, found {}", words::any_of(allowed.iter().copied()), words::quoted(word));
                let near = words::did_you_mean(word, allowed.iter().copied());
                self.report.error(code::UNKNOWN_WORD, path, message).suggest(near);
            }
            _ => self.wrong_type(shape, value, path),
        }
    }

    pub(super) fn wrong_type(&mut self, shape: &Value, value: &Value, path: &Path) {
        let message = format!("expected {}, found {}", expected(shape, self.shapes), words::found(value));
        self.report.error(code::WRONG_TYPE, path, message);
    }

    fn expression(&mut self, value: &'a Value, path: &Path) {
        match value {
            Value::String(text) => self.note_expression(text, 0, path),
            Value::Bool(_) | Value::Number(_) => {}
            other => {
                let message = format!("expected an expression (CEL), found {}", words::found(other));
                self.report.error(code::WRONG_TYPE, path, message);
            }
        }
    }

    /// Notes the expressions of every text in a template.
    pub(super) fn template(&mut self, value: &'a Value, path: &Path) {
        match value {
            Value::String(text) => self.template_text(text, path),
            Value::Array(values) => {
                values.iter().enumerate().for_each(|(at, value)| self.template(value, &path.index(at)));
            }
            Value::Object(keys) => keys.iter().for_each(|(key, value)| self.template(value, &path.key(key))),
            _ => {}
        }
    }

    fn template_text(&mut self, text: &'a str, path: &Path) {
        let mut start = 0;
        while let Some(open) = text[start..].find("{{").map(|at| start + at) {
            let inside = open + "{{".len();
            let Some(length) = end_of_expression(&text[inside..]) else {
                let column = text[..open].chars().count();
                let message = "expected `}}` after `{{`, found none";
                self.report.error_within(code::EXPRESSION_SYNTAX, path, column, message);
                return;
            };
            let expression = &text[inside..inside + length];
            let blanks = expression.len() - expression.trim_start().len();
            self.note_expression(expression.trim(), text[..inside + blanks].chars().count(), path);
            start = inside + length + "}}".len();
        }
    }

    fn note_expression(&mut self, text: &'a str, column: usize, path: &Path) {
        self.found.expressions.push(ExpressionSite { path: path.clone(), text, column, owner: self.owner });
    }

    fn duration(&mut self, value: &Value, path: &Path, may_go_back: bool) {
        let message = match Duration::from_value(value) {
            Ok(duration) if duration.approximate().is_negative() && !may_go_back => {
                format!("expected a duration that is not negative, found {}", words::found(value))
            }
            Ok(_) => return,
            Err(ExpressionError::Value { message } | ExpressionError::Type { message }) => message,
            Err(other) => other.to_string(),
        };
        self.report.error(code::INVALID_TIME, path, message).suggest(words::mapping_as_duration(value));
    }
}

/// The words of a shape that allows only words.
pub(super) fn allowed_words(shape: &Value) -> Option<Vec<&str>> {
    if let Some(word) = shape.get("const").and_then(Value::as_str) {
        return Some(vec![word]);
    }
    shape.get("enum")?.as_array()?.iter().map(Value::as_str).collect()
}

/// Whether a value has one of the types of a shape.
pub(super) fn has_type(shape: &Value, value: &Value) -> bool {
    match shape.get("type") {
        Some(Value::String(kind)) => is_type(kind, value),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(|kind| is_type(kind, value)),
        _ => true,
    }
}

fn is_type(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// A text made to fit a pattern of ids, if that is easy.
fn near_id(text: &str, pattern: &Regex) -> Option<String> {
    let joined = |by: &str| {
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(by).to_lowercase()
    };
    [joined("-"), joined("_")].into_iter().find(|id| pattern.is_match(id))
}
