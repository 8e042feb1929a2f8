//! The shapes of the language, taken once from its JSON Schemas: what the check walks by.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::schema::{object_schema, workflow_schema};
use crate::{DefinitionKind, StepKind, TriggerKind, step, trigger};

/// Every shape. Nested shapes are `{"$ref": "#/$defs/<name>"}` into `definitions`.
#[derive(Debug)]
pub(crate) struct Shapes {
    pub(crate) workflow: Value,
    pub(crate) object: Value,
    pub(crate) definitions_by_kind: BTreeMap<DefinitionKind, Value>,
    /// Complete steps by type, common keys included.
    pub(crate) steps: BTreeMap<&'static str, Value>,
    /// Complete triggers by type, common keys included.
    pub(crate) triggers: BTreeMap<&'static str, Value>,
    /// The keys that every step has.
    pub(crate) any_step: Map<String, Value>,
    /// The keys that every trigger has.
    pub(crate) any_trigger: Map<String, Value>,
    pub(crate) definitions: Map<String, Value>,
    /// The patterns of texts, compiled.
    pub(crate) patterns: BTreeMap<String, Regex>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::read);

/// The shapes of this version.
pub(crate) fn shapes() -> &'static Shapes {
    &SHAPES
}

impl Shapes {
    fn read() -> Self {
        let (mut workflow, mut object) = (schema(workflow_schema()), schema(object_schema()));
        let mut patterns = BTreeMap::new();
        collect_patterns(&workflow, &mut patterns);
        collect_patterns(&object, &mut patterns);
        let mut definitions = definitions(&mut workflow);
        definitions.extend(self::definitions(&mut object));
        let mut definitions_by_kind = BTreeMap::new();
        for kind in DefinitionKind::ALL {
            let mut shape = schema(kind.schema());
            collect_patterns(&shape, &mut patterns);
            definitions.extend(self::definitions(&mut shape));
            definitions_by_kind.insert(*kind, shape);
        }
        let steps = by_type("step", StepKind::AVAILABLE, &mut definitions);
        let triggers = by_type("trigger", TriggerKind::AVAILABLE, &mut definitions);
        // They choose a shape by the type, which the walk does itself.
        definitions.retain(|name, _| name != "Step" && name != "Trigger");
        let (any_step, any_trigger) = (common(&steps, step::COMMON_KEYS), common(&triggers, trigger::COMMON_KEYS));
        Self { workflow, object, definitions_by_kind, steps, triggers, any_step, any_trigger, definitions, patterns }
    }

    /// The definition that a `$ref` names.
    pub(crate) fn definition(&self, name: &str) -> Option<&Value> {
        self.definitions.get(name)
    }
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).expect("a schema is JSON")
}

/// Takes the definitions out of a schema.
fn definitions(schema: &mut Value) -> Map<String, Value> {
    match schema.as_object_mut().and_then(|schema| schema.remove("$defs")) {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    }
}

/// Takes the shapes of all types out of the definitions.
fn by_type(kind: &str, types: &[&'static str], definitions: &mut Map<String, Value>) -> BTreeMap<&'static str, Value> {
    let mut shape = |tag: &&'static str| {
        let shape = definitions.remove(&format!("{kind}_{tag}"));
        (*tag, shape.unwrap_or_else(|| panic!("docs/schema has no {kind} {tag}: UPDATE=1 cargo test -p pawl-tests")))
    };
    types.iter().map(&mut shape).collect()
}

/// The common keys, which have the same shape in every type.
fn common(by_type: &BTreeMap<&'static str, Value>, keys: &[&str]) -> Map<String, Value> {
    let one = by_type.values().next().and_then(|shape| shape["properties"].as_object());
    let own = |(key, _): &(&String, &Value)| keys.contains(&key.as_str());
    one.into_iter().flatten().filter(own).map(|(key, shape)| (key.clone(), shape.clone())).collect()
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
