//! `note`: writes a line in history.

use serde::Deserialize;

use super::{Shape, Step};
use crate::Template;
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;

/// The step `note`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The line.
    pub text: Template,
}

impl Shape for Note {
    fn words(&self, _: &Step) -> String {
        format!("writes into history: {}", self.text.words())
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::any()
    }
}
