//! What a shape expects, in words.

use serde_json::Value;

use super::shapes::Shapes;
use super::walk::allowed_words;
use super::words::any_of;
use crate::schema::reference;

/// `a list of steps`, `true or false`, `completed, canceled, failed or paused`.
pub(super) fn expected(shape: &Value, shapes: &Shapes) -> String {
    if let Some(name) = reference(shape) {
        return match name {
            "Step" => "a step".to_owned(),
            "Trigger" => "a trigger".to_owned(),
            "Expression" => "an expression (CEL)".to_owned(),
            "Template" => "a value".to_owned(),
            "Duration" => "a duration such as `2d 3h`".to_owned(),
            "Offset" => "a duration such as `2d 3h` or `-60d`".to_owned(),
            _ => shapes.definition(name).map_or_else(String::new, |shape| expected(shape, shapes)),
        };
    }
    if let Some(words) = allowed_words(shape) {
        return any_of(words);
    }
    if let Some(alternatives) = shape.get("oneOf").or_else(|| shape.get("anyOf")).and_then(Value::as_array) {
        return any_of(each(alternatives, shapes).iter().map(String::as_str));
    }
    match shape.get("type") {
        Some(Value::String(kind)) => of_type(kind, shape, shapes),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            let each: Vec<_> = kinds.map(|kind| of_type(kind, shape, shapes)).collect();
            any_of(each.iter().map(String::as_str))
        }
        _ => "a value".to_owned(),
    }
}

/// The words of alternatives one by one, then the other alternatives; mappings that differ by their one key together.
fn each(alternatives: &[Value], shapes: &Shapes) -> Vec<String> {
    let (mut each, mut keys) = (Vec::new(), Vec::new());
    for one in alternatives {
        let definition = reference(one).and_then(|name| shapes.definition(name));
        let shape = definition.unwrap_or(one);
        match (allowed_words(shape), only_key(shape)) {
            (Some(words), _) => each.extend(words.into_iter().map(str::to_owned)),
            (None, Some(key)) => keys.push(key),
            (None, None) => each.push(expected(one, shapes)),
        }
    }
    if !keys.is_empty() {
        each.push(format!("a mapping with {}", any_of(keys)));
    }
    each.retain(|words| words != "nothing");
    each.dedup();
    each
}

fn of_type(kind: &str, shape: &Value, shapes: &Shapes) -> String {
    match kind {
        "null" => "nothing".to_owned(),
        "boolean" => "true or false".to_owned(),
        "string" => "a text".to_owned(),
        "number" => "a number".to_owned(),
        "integer" => "a whole number".to_owned(),
        "array" => match shape.get("items").filter(|items| items.is_object()) {
            Some(items) => format!("a list of {}", several(&expected(items, shapes))),
            None => "a list".to_owned(),
        },
        _ => only_key(shape).map_or_else(|| "a mapping".to_owned(), |key| format!("a mapping with {key}")),
    }
}

/// The key of a mapping that has one and must have it.
fn only_key(shape: &Value) -> Option<&str> {
    let (keys, required) = (shape.get("properties")?.as_object()?, shape.get("required")?.as_array()?);
    let only = keys.keys().next().filter(|_| keys.len() == 1 && required.len() == 1);
    only.map(String::as_str)
}

fn several(one: &str) -> String {
    match one.strip_prefix("a ").filter(|rest| !rest.contains(' ')) {
        Some(noun) => format!("{noun}s"),
        None => one.to_owned(),
    }
}
