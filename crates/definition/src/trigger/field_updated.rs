//! `field_updated`: a field of a record really changes.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// A test of a value before or after a change.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueTest {
    /// Anything.
    Any,
    /// Null, empty or white space.
    Blank,
    /// Not blank.
    NotBlank,
    /// Exactly this value.
    Equals(Value),
    /// One of these values.
    In(Vec<Value>),
    /// This value was added to a list.
    Added(Value),
    /// This value was removed from a list.
    Removed(Value),
    /// Between two values, both included.
    Between(Value, Value),
}

/// The trigger `field_updated`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldUpdated {
    /// The field.
    #[serde(default)]
    pub field: Option<String>,
    /// Or several; a change of any of them counts.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Test of the value before.
    #[serde(default)]
    pub from: Option<ValueTest>,
    /// Test of the value after.
    #[serde(default)]
    pub to: Option<ValueTest>,
    /// A value set when the record is created counts as a change from nothing.
    #[serde(default)]
    pub on_create: bool,
}

impl FieldUpdated {
    /// The fields that it listens to.
    pub fn listens_to(&self) -> impl Iterator<Item = &str> {
        self.field.iter().chain(&self.fields).map(String::as_str)
    }
}
