//! `stop`: ends or pauses the execution.

use serde::Deserialize;

use super::{Onward, Shape, TypeFacts};
use crate::Template;
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopAs {
    /// Completed.
    #[default]
    Completed,
    /// Canceled.
    Canceled,
    /// Failed.
    Failed,
    /// Paused; resumed by an operator, it goes on with the next step.
    Paused,
}

/// The step `stop`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// How.
    #[serde(default)]
    pub r#as: StopAs,
    /// Why.
    #[serde(default)]
    pub reason: Option<Template>,
}

impl Shape for Stop {
    fn facts() -> TypeFacts {
        TypeFacts { only_leads: true, ..TypeFacts::PLAIN }
    }

    fn onward(&self) -> Onward<'_> {
        if self.r#as == StopAs::Paused { Onward::Resumed } else { Onward::Nowhere }
    }

    fn names_outcome(&self) -> bool {
        self.reason.is_some()
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::object([("as", Type::text())])
    }
}
