//! The shapes of the language as JSON Schemas, put together once: what the check walks by and editors complete by.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::step::Common;
use crate::{Object, StepKind, TriggerKind, Workflow};

/// Every shape. Nested shapes are `{"$ref": "#/$defs/<name>"}` into `definitions`.
#[derive(Debug)]
pub(crate) struct Shapes {
    pub(crate) workflow: Value,
    pub(crate) object: Value,
    /// Complete steps by type, common keys included.
    pub(crate) steps: BTreeMap<&'static str, Value>,
    /// Complete triggers by type, common keys included.
    pub(crate) triggers: BTreeMap<&'static str, Value>,
    /// What every step has.
    pub(crate) any_step: Value,
    /// What every trigger has.
    pub(crate) any_trigger: Value,
    pub(crate) definitions: Map<String, Value>,
    /// The patterns of texts, compiled.
    pub(crate) patterns: BTreeMap<String, Regex>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::build);

/// The shapes of this version.
pub(crate) fn shapes() -> &'static Shapes {
    &SHAPES
}

impl Shapes {
    fn build() -> Self {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let steps = StepKind::schemas(&mut generator);
        let triggers = TriggerKind::schemas(&mut generator);
        let any_step = any_step(&mut generator);
        let any_trigger = any_trigger(&mut generator);
        let mut workflow = Workflow::json_schema(&mut generator).to_value();
        let mut object = Object::json_schema(&mut generator).to_value();
        let whole = |common: &Value, own: Vec<(&'static str, schemars::Schema)>| {
            own.into_iter().map(|(tag, own)| (tag, compose(common, tag, &own.to_value()))).collect::<BTreeMap<_, _>>()
        };
        let mut steps = whole(&any_step, steps);
        let mut triggers = whole(&any_trigger, triggers);
        let mut definitions = generator.take_definitions(true);
        let roots = steps.values_mut().chain(triggers.values_mut()).chain([&mut workflow, &mut object]);
        roots.chain(definitions.values_mut()).for_each(tidy);
        let mut patterns = BTreeMap::new();
        let all = steps.values().chain(triggers.values()).chain([&workflow, &object, &any_step, &any_trigger]);
        all.chain(definitions.values()).for_each(|shape| collect_patterns(shape, &mut patterns));
        Self { workflow, object, steps, triggers, any_step, any_trigger, definitions, patterns }
    }

    /// The definition that a `$ref` names.
    pub(crate) fn definition(&self, name: &str) -> Option<&Value> {
        self.definitions.get(name)
    }
}

/// The name that a shape refers to, if it is a reference.
pub(crate) fn reference(shape: &Value) -> Option<&str> {
    shape.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn any_step(generator: &mut SchemaGenerator) -> Value {
    let mut common = Common::json_schema(generator).to_value();
    common["required"] = json!(["id", "type"]);
    common
}

fn any_trigger(generator: &mut SchemaGenerator) -> Value {
    let filter = generator.subschema_for::<crate::Expression>().to_value();
    let described = |mut schema: Value, text: &str| {
        schema["description"] = text.into();
        schema
    };
    json!({
        "type": "object",
        "properties": {
            "id": described(json!({"type": "string"}), "Id, unique among the triggers; the type if absent."),
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

/// Takes out what says nothing to an author: `"default": null`, number formats, line breaks in descriptions.
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

fn collect_patterns(shape: &Value, into: &mut BTreeMap<String, Regex>) {
    match shape {
        Value::Object(keys) => {
            if let Some(Value::String(pattern)) = keys.get("pattern") {
                let regex = Regex::new(pattern).expect("the patterns of the language are regular expressions");
                into.insert(pattern.clone(), regex);
            }
            keys.values().for_each(|value| collect_patterns(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_patterns(value, into)),
        _ => {}
    }
}
