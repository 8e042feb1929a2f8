//! `log_activity`: notes an activity that is done already.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::about_records::NewActivity;
use super::{Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::who::Who;
use crate::{Check, Template};

/// The step `log_activity`. Output: the activity.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogActivity {
    /// Type of the activity.
    pub activity: String,
    /// Who did it; nobody in particular if absent.
    #[serde(default)]
    pub assignee: Option<Who>,
    /// What people read of it.
    #[serde(default)]
    pub note: Option<Template>,
    /// Values by field of the type.
    #[serde(default)]
    pub fields: BTreeMap<String, Template>,
    /// The records that it is about, by object, beside this record: an id, the name of a relationship (`record.company`), or a
    /// template that gives a record or its id. A blank value is left out.
    #[serde(default)]
    pub records: BTreeMap<String, Template>,
}

impl LogActivity {
    /// What it says of the activity.
    pub fn new_activity(&self) -> NewActivity<'_> {
        NewActivity {
            activity: &self.activity,
            assignee: self.assignee.as_ref(),
            note: self.note.as_ref(),
            fields: &self.fields,
            records: &self.records,
        }
    }
}

impl Shape for LogActivity {
    fn words(&self, _: &Step) -> String {
        format!("logs an activity of the type {}{}", self.activity, self.new_activity().words("of"))
    }

    fn facts() -> TypeFacts {
        TypeFacts { reads_record: true, ..TypeFacts::PLAIN }
    }

    fn reads_records_of(&self, object: &str) -> bool {
        self.records.contains_key(object)
    }

    fn reads_definitions(&self) -> bool {
        true
    }

    fn reads_owner(&self) -> bool {
        self.assignee.as_ref().is_some_and(Who::reads_owner)
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        self.new_activity().output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.new_activity().check(cx);
    }
}
