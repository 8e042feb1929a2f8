//! `go_to`: goes on at another step.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Shape;

/// The step `go_to`, bounded by `limits.visits`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoTo {
    /// Id of the step.
    pub step: String,
}

impl Shape for GoTo {}
