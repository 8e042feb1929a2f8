//! The outcome of a workflow: what it is for.

use serde::Deserialize;

use crate::describe::JsonSchema;
use crate::{Duration, Expression};

/// What a workflow is for, when that counts as reached, and what a person would have spent.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Its name for people.
    pub name: String,
    /// Whether an execution has reached it: an expression that is evaluated when the execution completes.
    pub reached: Expression,
    /// The time that a person would have spent on it.
    #[serde(default)]
    pub saves: Option<Duration>,
}
