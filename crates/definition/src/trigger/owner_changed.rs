//! `owner_changed`: a record gets another owner, or loses its owner.

use serde::Deserialize;

use super::field_updated::change_words;
use super::{FieldUpdated, ValueTest};
use crate::Check;
use crate::describe::JsonSchema;
use crate::object::OWNER;
use crate::types::Type;
use crate::validate::Facts;

/// The trigger `owner_changed`. The owner with whom a record is created is no change.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerChanged {
    /// Test of the owner before.
    #[serde(default)]
    pub from: Option<ValueTest>,
    /// Test of the owner after.
    #[serde(default)]
    pub to: Option<ValueTest>,
}

impl OwnerChanged {
    /// The changes of the field that it listens to.
    pub fn field(&self) -> FieldUpdated {
        FieldUpdated { from: self.from.clone(), to: self.to.clone(), ..FieldUpdated::one(OWNER) }
    }
}

impl super::Listen for OwnerChanged {
    fn words(&self) -> String {
        format!("the owner changes{}", change_words(self.from.as_ref(), self.to.as_ref()))
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        super::changes(facts)
    }

    fn event_types(&self, _: &'static str) -> Vec<&'static str> {
        vec!["field_updated"]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.field().check_values(cx);
    }
}
