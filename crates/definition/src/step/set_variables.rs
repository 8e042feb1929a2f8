//! `set_variables`: assigns variables of this execution.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Shape;
use crate::Template;

/// The step `set_variables`. All values are computed from the state before the step.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetVariables {
    /// Values by variable.
    pub values: BTreeMap<String, Template>,
}

impl Shape for SetVariables {}
