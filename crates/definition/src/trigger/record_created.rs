//! `record_created`: a record is created or un-archived.

use serde::Deserialize;

use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, code};

/// How a record can appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Appearance {
    /// It is new.
    Created,
    /// It came back from the archive.
    Unarchived,
}

/// The trigger `record_created`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCreated {
    /// Which appearances count.
    #[serde(default = "RecordCreated::default_include")]
    pub include: Vec<Appearance>,
}

impl RecordCreated {
    fn default_include() -> Vec<Appearance> {
        vec![Appearance::Created]
    }
}

impl super::Listen for RecordCreated {
    fn words(&self) -> String {
        let words = |appearance: &Appearance| match appearance {
            Appearance::Created => "is created".to_owned(),
            Appearance::Unarchived => "comes back from the archive".to_owned(),
        };
        format!("a record {}", listed(self.include.iter().map(words), "or"))
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        super::changes(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.needs_record();
        if self.include.is_empty() && !cx.has_problem("include") {
            let message = "this trigger never fires: expected created or unarchived, found an empty list";
            cx.error(code::INVALID_VALUE, &cx.key("include"), message);
        }
    }
}
