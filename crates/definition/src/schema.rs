//! JSON Schemas by which an editor completes and underlines. They are the shapes that `check` walks by.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::validate::shapes::{Shapes, reference, shapes};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema (2020-12) of a `*.workflow.yaml` file.
///
/// It refuses unknown keys everywhere. The type of a step or trigger decides its keys by `if` and `then`, so that an
/// editor complains about the one that was written and not about every other type.
pub fn workflow_schema() -> Value {
    root("A Pawl workflow", &shapes().workflow)
}

/// The JSON Schema (2020-12) of an `*.object.yaml` file.
pub fn object_schema() -> Value {
    root("A Pawl object", &shapes().object)
}

fn root(title: &str, shape: &Value) -> Value {
    let shapes = shapes();
    let all = definitions(shapes);
    let mut needed = BTreeSet::new();
    need(shape, &all, &mut needed);
    let definitions: Map<_, _> = all.into_iter().filter(|(name, _)| needed.contains(name)).collect();
    let mut root = shape.clone();
    root["$schema"] = DIALECT.into();
    root["title"] = title.into();
    root["$defs"] = Value::Object(definitions);
    root
}

/// Every definition: those of the shapes, and one for each type of step and trigger.
fn definitions(shapes: &Shapes) -> Map<String, Value> {
    let mut all = shapes.definitions.clone();
    all.insert("Step".to_owned(), typed("step", &shapes.steps, &json!(["id", "type"])));
    all.insert("Trigger".to_owned(), typed("trigger", &shapes.triggers, &json!(["type"])));
    for (kind, by_type) in [("step", &shapes.steps), ("trigger", &shapes.triggers)] {
        all.extend(by_type.iter().map(|(tag, shape)| (format!("{kind}_{tag}"), shape.clone())));
    }
    all
}

/// A node whose type decides its shape.
fn typed(kind: &str, by_type: &BTreeMap<&'static str, Value>, required: &Value) -> Value {
    let tags: Vec<_> = by_type.keys().collect();
    let about: Vec<_> = by_type.values().map(|shape| shape["description"].clone()).collect();
    let one = |tag: &&str| {
        let name = format!("#/$defs/{kind}_{tag}");
        json!({"if": {"properties": {"type": {"const": tag}}, "required": ["type"]}, "then": {"$ref": name}})
    };
    json!({
        "type": "object",
        "required": required,
        "properties": {"type": {"enum": tags, "enumDescriptions": about, "description": format!("Type of the {kind}.")}},
        "allOf": by_type.keys().map(one).collect::<Vec<_>>(),
    })
}

/// Collects the definitions that a shape refers to, by whatever way.
fn need(shape: &Value, all: &Map<String, Value>, needed: &mut BTreeSet<String>) {
    let new = reference(shape).filter(|name| needed.insert((*name).to_owned()));
    if let Some(definition) = new.and_then(|name| all.get(name)) {
        need(definition, all, needed);
    }
    match shape {
        Value::Object(keys) => keys.values().for_each(|value| need(value, all, needed)),
        Value::Array(values) => values.iter().for_each(|value| need(value, all, needed)),
        _ => {}
    }
}
