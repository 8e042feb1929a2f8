//! JSON Schemas by which an editor completes and underlines.

use serde_json::Value;

/// The JSON Schema (2020-12) of a `*.workflow.yaml` file.
pub fn workflow_schema() -> Value {
    schemars::schema_for!(crate::Workflow).to_value()
}

/// The JSON Schema (2020-12) of an `*.object.yaml` file.
pub fn object_schema() -> Value {
    schemars::schema_for!(crate::Object).to_value()
}
