//! A schema written with its properties in their author's order.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// The keyword that says in which order the properties of an object are meant. It is an annotation: checking passes
/// over it, and providers are not sent it.
pub const PROPERTY_ORDER: &str = "propertyOrdering";

/// Keywords whose value is a schema.
const SCHEMA: &[&str] = &[
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is a list of schemas.
const SCHEMAS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords whose value has a schema for each of its keys.
const NAMED: &[&str] = &["$defs", "definitions", "dependentSchemas", "patternProperties"];

/// A JSON Schema that is serialized with `properties` and `required` in the order of [`PROPERTY_ORDER`], and without
/// that keyword. Values here are sorted by their keys, and a model answers in the order in which it is asked.
///
/// ```
/// use pawl_definition::OrderedSchema;
/// use serde_json::json;
///
/// let schema = json!({"properties": {"a": {}, "b": {}}, "required": ["a", "b"], "propertyOrdering": ["b", "a"]});
/// let text = serde_json::to_string(&OrderedSchema(&schema)).unwrap();
/// assert_eq!(text, r#"{"properties":{"b":{},"a":{}},"required":["b","a"]}"#);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct OrderedSchema<'a>(pub &'a Value);

impl Serialize for OrderedSchema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(keys) = self.0 else { return self.0.serialize(serializer) };
        let order = Order(keys.get(PROPERTY_ORDER).and_then(Value::as_array).map_or(&[], Vec::as_slice));
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in keys.iter().filter(|(key, _)| *key != PROPERTY_ORDER) {
            match (key.as_str(), value) {
                ("properties", Value::Object(named)) => map.serialize_entry(key, &Named { named, order })?,
                ("required", Value::Array(names)) => {
                    let mut names: Vec<_> = names.iter().collect();
                    names.sort_by_key(|name| order.place(name));
                    map.serialize_entry(key, &names)?;
                }
                (key, Value::Object(named)) if NAMED.contains(&key) => {
                    map.serialize_entry(key, &Named { named, order: Order(&[]) })?;
                }
                (key, Value::Array(schemas)) if SCHEMAS.contains(&key) => {
                    let schemas: Vec<_> = schemas.iter().map(OrderedSchema).collect();
                    map.serialize_entry(key, &schemas)?;
                }
                (key, schema) if SCHEMA.contains(&key) => map.serialize_entry(key, &OrderedSchema(schema))?,
                (key, value) => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

/// Names in their order.
#[derive(Clone, Copy)]
struct Order<'a>(&'a [Value]);

impl Order<'_> {
    /// Where a name stands; one that is not in the order comes last.
    fn place(&self, name: &Value) -> usize {
        self.0.iter().position(|ordered| ordered == name).unwrap_or(self.0.len())
    }
}

/// Schemas by name.
struct Named<'a> {
    named: &'a Map<String, Value>,
    order: Order<'a>,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut named: Vec<_> = self.named.iter().collect();
        named.sort_by_key(|(name, _)| self.order.place(&Value::String((*name).clone())));
        serializer.collect_map(named.into_iter().map(|(name, schema)| (name, OrderedSchema(schema))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_are_ordered_at_every_depth_and_a_property_of_the_keywords_name_stays() {
        let inner = json!({"properties": {"x": {}, "a": {}}, "propertyOrdering": ["x"]});
        let schema = json!({
            "properties": {"propertyOrdering": {"type": "string"}, "list": {"items": inner}, "any": {"anyOf": [inner]}},
            "propertyOrdering": ["list"],
            "$defs": {"d": inner},
            "default": {"propertyOrdering": ["kept: it is data"]},
        });
        let text = serde_json::to_string(&OrderedSchema(&schema)).expect("a schema is JSON");
        insta::assert_snapshot!(text, @r#"{"$defs":{"d":{"properties":{"x":{},"a":{}}}},"default":{"propertyOrdering":["kept: it is data"]},"properties":{"list":{"items":{"properties":{"x":{},"a":{}}}},"any":{"anyOf":[{"properties":{"x":{},"a":{}}}]},"propertyOrdering":{"type":"string"}}}"#);
    }
}
