//! JSON Schemas by which an editor completes and underlines. The check walks by the same.

use serde_json::Value;

/// The JSON Schema (2020-12) of a `*.workflow.yaml` file, as JSON.
pub fn workflow_schema() -> &'static str {
    include_str!("../../../docs/schema/workflow.schema.json")
}

/// The JSON Schema (2020-12) of an `*.object.yaml` file, as JSON.
pub fn object_schema() -> &'static str {
    include_str!("../../../docs/schema/object.schema.json")
}

/// The name of the definition that a shape refers to, if it is a reference.
pub(crate) fn reference(shape: &Value) -> Option<&str> {
    shape.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}
