//! The order in which an author wrote the fields of a model's answer.
//!
//! A value is sorted by its keys, here and where it is stored, but a model answers in the order in which it is asked: a
//! `reason` before a `category` is another answer. So the order as written is kept as data: `order` beside the `fields`
//! of a step's `output`, and the annotation `propertyOrdering` in its `schema`. What the author says there stays.

use serde_json::{Map, Value};

use super::Source;
use crate::StepKind;
use crate::json_schema::PROPERTY_ORDER;
use crate::path::Path;

/// Most fields whose order is kept; no model is asked for more.
const FIELDS: usize = 200;

/// Keywords of a schema whose value has a schema for each of its keys.
const NAMED: &[&str] = &["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];

/// Keywords of a schema whose value is data.
const DATA: &[&str] = &["const", "default", "enum", "examples"];

/// Keeps the order of the fields of all model steps of a workflow. What was never a text has no order.
pub(super) fn keep(source: &mut Source) {
    if source.places.is_empty() || !source.value.get("steps").is_some_and(Value::is_array) {
        return;
    }
    let mut value = std::mem::take(&mut source.value);
    Keeper { source, way: Vec::new() }.steps(&mut value);
    source.value = value;
}

/// One step on the way to a value.
enum Way {
    Key(String),
    Index(usize),
}

struct Keeper<'a> {
    source: &'a Source,
    way: Vec<Way>,
}

impl Keeper<'_> {
    /// Looks for model steps in a value and below.
    fn steps(&mut self, value: &mut Value) {
        let tag = value.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_model = StepKind::facts_of(tag).ordered_output;
        match value {
            Value::Object(keys) => {
                for (key, below) in keys {
                    self.way.push(Way::Key(key.clone()));
                    if is_model && key == "output" {
                        self.output(below);
                    } else {
                        self.steps(below);
                    }
                    self.way.pop();
                }
            }
            Value::Array(items) => {
                for (index, below) in items.iter_mut().enumerate() {
                    self.way.push(Way::Index(index));
                    self.steps(below);
                    self.way.pop();
                }
            }
            _ => {}
        }
    }

    fn output(&mut self, output: &mut Value) {
        let Value::Object(keys) = output else { return };
        if let Some(order) = self.order(keys.get("fields"), "fields") {
            keys.entry("order").or_insert(order);
        }
        if let Some(schema) = keys.get_mut("schema") {
            self.way.push(Way::Key("schema".to_owned()));
            self.schema(schema);
            self.way.pop();
        }
    }

    /// Goes through a schema and all below it. `properties` and the like are names with a schema each, not schemas.
    fn schema(&mut self, schema: &mut Value) {
        match schema {
            Value::Object(keys) => {
                for (key, below) in keys.iter_mut().filter(|(key, _)| !DATA.contains(&key.as_str())) {
                    self.way.push(Way::Key(key.clone()));
                    match below {
                        Value::Object(named) if NAMED.contains(&key.as_str()) => self.named(named),
                        below => self.schema(below),
                    }
                    self.way.pop();
                }
                if let Some(order) = self.order(keys.get("properties"), "properties") {
                    keys.entry(PROPERTY_ORDER).or_insert(order);
                }
            }
            Value::Array(items) => {
                for (index, below) in items.iter_mut().enumerate() {
                    self.way.push(Way::Index(index));
                    self.schema(below);
                    self.way.pop();
                }
            }
            _ => {}
        }
    }

    fn named(&mut self, named: &mut Map<String, Value>) {
        for (name, schema) in named {
            self.way.push(Way::Key(name.clone()));
            self.schema(schema);
            self.way.pop();
        }
    }

    /// The names of a mapping in the order in which they are written, if that is another one than their own. What an alias
    /// or a merge key brings has the order of what it names, and stands where that is brought in.
    fn order(&self, mapping: Option<&Value>, key: &str) -> Option<Value> {
        let mapping = mapping?.as_object().filter(|mapping| mapping.len() <= FIELDS)?;
        let path = self.way.iter().fold(Path::root(), |path, way| match way {
            Way::Key(key) => path.key(key),
            Way::Index(index) => path.index(*index),
        });
        let path = path.key(key);
        let mut names: Vec<_> = mapping.keys().collect();
        names.sort_by_key(|name| self.source.places.find(&path.key(name)));
        if names.iter().copied().eq(mapping.keys()) {
            return None;
        }
        Some(names.into_iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn output(text: &str) -> Value {
        let text = format!("workflow: w\nsteps:\n  - id: a\n    type: call_llm\n    output:\n{text}");
        Source::parse("w.yaml", &text).expect("the text is YAML").value["steps"][0]["output"].clone()
    }

    #[test]
    fn fields_keep_the_order_in_which_they_are_written() {
        let kept = output("      fields: {reason: {}, category: {}, confidence: {}}\n");
        assert_eq!(kept["order"], json!(["reason", "category", "confidence"]));
        let said = output("      fields: {reason: {}, category: {}}\n      order: [category]\n");
        assert_eq!(said["order"], json!(["category"]));
        assert_eq!(output("      fields: {a: {}, b: {}}\n").get("order"), None);
    }

    #[test]
    fn properties_of_a_schema_keep_theirs_at_every_depth() {
        let kept = output(
            "      schema: {properties: {reason: {}, items: {items: {properties: {b: {}, a: {}}}}}, type: object}\n",
        );
        assert_eq!(kept.pointer("/schema/propertyOrdering"), Some(&json!(["reason", "items"])));
        assert_eq!(kept.pointer("/schema/properties/items/items/propertyOrdering"), Some(&json!(["b", "a"])));
        let named = output("      schema: {properties: {properties: {type: object, enum: []}, default: {}}}\n");
        assert_eq!(named.pointer("/schema/properties/propertyOrdering"), None, "it is no schema");
    }

    #[test]
    fn fields_that_an_alias_or_a_merge_brings_keep_theirs() {
        let of = |output: &str| {
            let text = format!(
                "workflow: w\nvariables:\n  - {{name: x, default: &f {{reason: &r {{z: 1, b: 2}}, category: {{}}}}}}\nsteps:\n  \
                 - {{id: a, type: call_llm, output: {output}}}\n"
            );
            Source::parse("w.yaml", &text).expect("the text is YAML").value["steps"][0]["output"].clone()
        };
        let order = |output: &str| of(output)["order"].clone();
        assert_eq!(order("{fields: *f}"), json!(["reason", "category"]));
        assert_eq!(order("{fields: {<<: *f, answer: {}}}"), json!(["reason", "category", "answer"]));
        assert_eq!(order("{fields: {zero: {}, <<: *f, answer: {}}}"), json!(["zero", "reason", "category", "answer"]));
        assert_eq!(
            order("{fields: {<<: *f, b: {}, reason: {}}}"),
            json!(["category", "b", "reason"]),
            "its own stands there"
        );
        assert_eq!(order("{fields: {reason: {}, a: {}, <<: *f}}"), json!(["reason", "a", "category"]));
        assert_eq!(order("{fields: {<<: [*r, *f], a: {}}}"), json!(["z", "b", "reason", "category", "a"]));
        assert_eq!(of("{schema: {properties: *f}}")["schema"][PROPERTY_ORDER], json!(["reason", "category"]));
        assert_eq!(
            of("{schema: {properties: {a: {properties: *r}}}}")["schema"]["properties"]["a"][PROPERTY_ORDER],
            json!(["z", "b"])
        );
    }

    #[test]
    fn json_keeps_its_order_too_and_nothing_else_is_touched() {
        let text = r#"{"workflow": "w", "steps": [{"yes": [{"type": "call_llm", "output": {"fields": {"b": {}, "a": {}}}}]},
            {"type": "http_request", "body": {"properties": {"b": {}, "a": {}}, "output": {"fields": {"b": 1, "a": 2}}}}]}"#;
        let value = Source::parse("w.json", text).expect("the text is JSON").value;
        assert_eq!(value.pointer("/steps/0/yes/0/output/order"), Some(&json!(["b", "a"])));
        assert_eq!(value["steps"][1], serde_json::from_str::<Value>(text).expect("it is JSON")["steps"][1]);
    }
}
