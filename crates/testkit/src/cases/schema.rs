//! The JSON Schema by which an editor completes a `*.cases.yaml` file. The check holds a file against the same.

/// The JSON Schema (2020-12) of a `*.cases.yaml` file, as JSON.
pub fn cases_schema() -> &'static str {
    include_str!("../../../../docs/schema/cases.schema.json")
}
