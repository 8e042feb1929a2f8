//! `record_archived`: a record is put into the archive.

use serde::Deserialize;

use crate::Check;
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;

/// The trigger `record_archived`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordArchived {}

impl super::Listen for RecordArchived {
    fn words(&self) -> String {
        "a record is put into the archive".to_owned()
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        super::changes(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.needs_record();
    }
}
