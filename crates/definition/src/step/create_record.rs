//! `create_record`: makes a record.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Shape;
use crate::Template;

/// What to do if a unique field already has the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// The record that is there becomes the output.
    Use,
    /// A number is added to the value, ` (2)`.
    Suffix,
    /// The step fails.
    #[default]
    Error,
    /// The record that is there comes back from the archive and becomes the output.
    Unarchive,
}

/// The step `create_record`. Output: the record.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRecord {
    /// Record type.
    pub object: String,
    /// Values by field.
    #[serde(default)]
    pub fields: BTreeMap<String, Template>,
    /// Relationship of the new record that is to point to this record.
    #[serde(default)]
    pub link_back: Option<String>,
    /// What to do if a unique field already has the value.
    #[serde(default)]
    pub on_duplicate: OnDuplicate,
}

impl Shape for CreateRecord {}
