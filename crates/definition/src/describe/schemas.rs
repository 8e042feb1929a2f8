//! Puts the schemas together: the shapes of the types, and the choice of a step's or trigger's shape by its type.

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::schema::reference;
use crate::step::Common;
use crate::{DefinitionKind, Expression, Object, StepKind, TriggerKind, Workflow};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema (2020-12) of a `*.workflow.yaml` file.
///
/// It refuses unknown keys everywhere. The type of a step or trigger decides its keys by `if` and `then`, so that an
/// editor complains about the one that was written and not about every other type.
pub fn workflow() -> Value {
    let mut generator = generator();
    let shape = Workflow::json_schema(&mut generator).to_value();
    root("A Pawl workflow", shape, generator)
}

/// The JSON Schema (2020-12) of an `*.object.yaml` file.
pub fn object() -> Value {
    let mut generator = generator();
    let shape = Object::json_schema(&mut generator).to_value();
    root("A Pawl object", shape, generator)
}

/// The JSON Schema (2020-12) of a file of a kind.
pub fn definition(kind: DefinitionKind) -> Value {
    let mut generator = generator();
    let shape = kind.described(&mut generator).to_value();
    root(&format!("A Pawl {}", kind.word()), shape, generator)
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn root(title: &str, shape: Value, generator: SchemaGenerator) -> Value {
    let (mut root, all) = (tidied(shape), definitions(generator));
    let mut needed = BTreeSet::new();
    need(&root, &all, &mut needed);
    let definitions: Map<_, _> = all.into_iter().filter(|(name, _)| needed.contains(name)).collect();
    root["$schema"] = DIALECT.into();
    root["title"] = title.into();
    root["$defs"] = Value::Object(definitions);
    root
}

/// Every definition: those that shapes refer to, and one for each type of step and trigger.
fn definitions(mut generator: SchemaGenerator) -> Map<String, Value> {
    let whole = |common: &Value, own: Vec<(&'static str, Schema)>| -> BTreeMap<&str, Value> {
        own.into_iter().map(|(tag, own)| (tag, tidied(compose(common, tag, &own.to_value())))).collect()
    };
    let steps = whole(&any_step(&mut generator), StepKind::schemas(&mut generator));
    let triggers = whole(&any_trigger(&mut generator), TriggerKind::schemas(&mut generator));
    let mut all: Map<_, _> =
        generator.take_definitions(true).into_iter().map(|(name, shape)| (name, tidied(shape))).collect();
    all.insert("Step".to_owned(), typed("step", &steps, &json!(["id", "type"])));
    all.insert("Trigger".to_owned(), typed("trigger", &triggers, &json!(["type"])));
    for (kind, by_type) in [("step", steps), ("trigger", triggers)] {
        all.extend(by_type.into_iter().map(|(tag, shape)| (format!("{kind}_{tag}"), shape)));
    }
    all
}

fn any_step(generator: &mut SchemaGenerator) -> Value {
    let mut common = Common::json_schema(generator).to_value();
    common["required"] = json!(["id", "type"]);
    common
}

fn any_trigger(generator: &mut SchemaGenerator) -> Value {
    let filter = generator.subschema_for::<Expression>().to_value();
    let described = |mut schema: Value, text: &str| {
        schema["description"] = text.into();
        schema
    };
    json!({
        "type": "object",
        "properties": {
            "id": described(
                json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$"}),
                "Id, unique among the triggers; the type if absent.",
            ),
            "filter": described(filter, "CEL, evaluated with the event, against the record as it is then."),
            "enabled": described(json!({"type": "boolean", "default": true}), "`false` switches it off."),
        },
        "required": ["type"],
    })
}

/// A complete shape: the common keys, the type, and the own keys.
fn compose(common: &Value, tag: &str, own: &Value) -> Value {
    let mut whole = common.clone();
    let description = own.get("description").cloned();
    let kind = json!({"const": tag, "description": description});
    whole["properties"]["type"] = kind;
    if let Some(properties) = own.get("properties").and_then(Value::as_object) {
        for (key, shape) in properties {
            whole["properties"][key] = shape.clone();
        }
    }
    if let (Some(required), Some(whole)) =
        (own.get("required").and_then(Value::as_array), whole["required"].as_array_mut())
    {
        whole.extend(required.iter().cloned());
    }
    whole["description"] = description.unwrap_or_default();
    whole["additionalProperties"] = false.into();
    whole
}

/// A node whose type decides its shape.
fn typed(kind: &str, by_type: &BTreeMap<&str, Value>, required: &Value) -> Value {
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

/// A shape without what says nothing to an author: `"default": null`, number formats, line breaks in descriptions.
fn tidied(mut shape: Value) -> Value {
    tidy(&mut shape);
    shape
}

fn tidy(shape: &mut Value) {
    match shape {
        Value::Object(keys) => {
            keys.retain(|key, value| !(key == "default" && value.is_null() || key == "format" && value.is_string()));
            if let Some(Value::String(text)) = keys.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            keys.values_mut().for_each(tidy);
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
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
