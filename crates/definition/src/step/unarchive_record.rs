//! `unarchive_record`: takes a record out of the archive.

use serde::Deserialize;

use super::targets::{Targets, target_words};
use super::{SetFields, Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Template};

/// The step `unarchive_record`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnarchiveRecord {
    /// The records: absent for this record, the name of a relationship (`record.company`), or a template that gives a record
    /// (`{{ vars.ticket }}`: its id, or an object with `id` and `object`) or a list of records.
    #[serde(default)]
    pub target: Option<Template>,
    /// The object of the target, if `target` gives a bare id.
    #[serde(default)]
    pub object: Option<String>,
}

impl UnarchiveRecord {
    fn targets(&self) -> Targets<'_> {
        Targets { target: self.target.as_ref(), object: self.object.as_deref() }
    }
}

impl Shape for UnarchiveRecord {
    fn words(&self, _: &Step) -> String {
        format!("takes {} out of the archive", target_words(self.target.as_ref()))
    }

    fn facts() -> TypeFacts {
        SetFields::facts()
    }

    fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn changes_own_record(&self) -> bool {
        self.target.is_none()
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        self.targets().output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.targets().check(cx);
    }
}
