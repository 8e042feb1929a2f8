//! Variables: section 4 of the language.

use serde::{Deserialize, Serialize};

use crate::describe::JsonSchema;
use crate::{Expression, Template};

/// The type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableType {
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A date, `2026-11-21`.
    Date,
    /// A point in time, RFC 3339.
    Datetime,
    /// A UUID.
    Uuid,
    /// A telephone number, kept in E.164 form.
    Phone,
    /// The id of a record.
    Record,
    /// The address of a member.
    Member,
    /// A JSON object.
    Object,
}

/// One variable of a workflow.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Name, `[a-z_][a-z0-9_]*`.
    #[schemars(regex(pattern = r"^[a-z_][a-z0-9_]*$"))]
    pub name: String,
    /// Type of its value, or of each of its values.
    #[serde(rename = "type")]
    pub kind: VariableType,
    /// Sources in CEL; the first that is not blank sets the value.
    #[serde(default)]
    pub from: Vec<Expression>,
    /// Value if no source gave one.
    #[serde(default)]
    pub default: Option<Template>,
    /// Fails the execution if it stays blank.
    #[serde(default)]
    pub required: bool,
    /// A list of values.
    #[serde(default)]
    pub many: bool,
}
