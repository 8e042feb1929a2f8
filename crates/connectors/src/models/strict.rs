//! Whether a schema can be asked for in strict mode.

use serde_json::Value;

/// Keywords that strict mode does not take.
const BEYOND: &[&str] =
    &["allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"];

/// Whether strict mode takes this schema: at the top an object, all objects closed and with every property
/// required. A schema that is sent as strict and is not would be answered 400; sent as not strict, the model is
/// guided by it and the caller validates.
pub(super) fn holds(schema: &Value) -> bool {
    schema["type"] == "object" && schema.get("anyOf").is_none() && closed(schema)
}

fn closed(schema: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return false };
    if BEYOND.iter().any(|keyword| schema.contains_key(*keyword)) {
        return false;
    }
    let is_object = schema.get("type").is_some_and(|kind| match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
        kind => kind == "object",
    });
    if is_object {
        let empty = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let all_required = properties.keys().all(|name| required.iter().any(|required| required == name));
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) || !all_required {
            return false;
        }
    }
    let each = |keyword: &str| match schema.get(keyword) {
        Some(Value::Object(parts)) => parts.values().all(closed),
        Some(Value::Array(parts)) => parts.iter().all(closed),
        _ => true,
    };
    each("properties") && each("$defs") && each("anyOf") && schema.get("items").is_none_or(closed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn closed_objects_with_all_required_are_strict() {
        let item = json!({"type": "object", "properties": {"n": {"type": ["integer", "null"]}}, "required": ["n"], "additionalProperties": false});
        assert!(holds(&item));
        assert!(holds(&json!({
            "type": "object",
            "properties": {"items": {"type": "array", "items": item}, "kind": {"enum": ["a", "b"]}},
            "required": ["items", "kind"],
            "additionalProperties": false,
        })));
    }

    #[test]
    fn all_else_is_not() {
        let closed = |property: Value| json!({"type": "object", "properties": {"p": property}, "required": ["p"], "additionalProperties": false});
        for schema in [
            json!(true),
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "object", "properties": {"p": {}}, "required": ["p"]}),
            json!({"type": "object", "properties": {"p": {}}, "additionalProperties": false}),
            closed(json!({"type": "object"})),
            closed(json!({"oneOf": [{"type": "string"}]})),
            closed(json!({"type": "array", "items": {"type": "object"}})),
            closed(json!({"anyOf": [{"type": "object"}]})),
        ] {
            assert!(!holds(&schema), "{schema}");
        }
    }
}
