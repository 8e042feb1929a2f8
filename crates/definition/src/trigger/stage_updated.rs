//! `stage_updated`: a record moves to another stage of its object.

use serde::Deserialize;

use super::field_updated::change_words;
use super::{FieldUpdated, ValueTest};
use crate::describe::JsonSchema;
use crate::object::STAGE;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, code};

/// The trigger `stage_updated`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageUpdated {
    /// Test of the stage before.
    #[serde(default)]
    pub from: Option<ValueTest>,
    /// Test of the stage after.
    #[serde(default)]
    pub to: Option<ValueTest>,
    /// The stage of a new record counts as a change from nothing.
    #[serde(default)]
    pub on_create: bool,
}

impl StageUpdated {
    /// The changes of the field that it listens to.
    pub fn field(&self) -> FieldUpdated {
        let Self { from, to, on_create } = self.clone();
        FieldUpdated { from, to, on_create, ..FieldUpdated::one(STAGE) }
    }
}

impl super::Listen for StageUpdated {
    fn words(&self) -> String {
        format!("the stage changes{}", change_words(self.from.as_ref(), self.to.as_ref()))
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        super::changes(facts)
    }

    fn event_types(&self, _: &'static str) -> Vec<&'static str> {
        self.field().event_types("field_updated")
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if let Some(object) = cx.facts.object().filter(|object| object.stages.is_empty()) {
            let message = format!(
                "this trigger never fires: expected an object with `stages`, found {:?}, which has none",
                object.id
            );
            cx.error(code::UNKNOWN_FIELD, &cx.path.clone(), message);
            return;
        }
        self.field().check_values(cx);
    }
}
