//! `cancel_activities`: cancels the open activities of records.

use serde::Deserialize;

use super::targets::{Targets, target_words};
use super::{Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::kind::check_activity;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Template, code};

/// The step `cancel_activities`. Output: `{activities: [ids]}`, those that it canceled.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelActivities {
    /// The types whose open activities are canceled; all if absent.
    #[serde(default)]
    pub activities: Option<Vec<String>>,
    /// The records whose activities are meant: absent for this record, the name of a relationship (`record.company`), or a
    /// template that gives a record (`{{ vars.ticket }}`: its id, or an object with `id` and `object`) or a list of records.
    #[serde(default)]
    pub target: Option<Template>,
    /// The object of the target, if `target` gives a bare id.
    #[serde(default)]
    pub object: Option<String>,
}

impl Shape for CancelActivities {
    fn words(&self, _: &Step) -> String {
        let types = self.activities.as_ref().map(|all| format!(" of the type {}", listed(all.clone(), "or")));
        format!("cancels the open activities{} of {}", types.unwrap_or_default(), target_words(self.target.as_ref()))
    }

    fn facts() -> TypeFacts {
        TypeFacts { reads_record: true, ..TypeFacts::PLAIN }
    }

    fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// An activity of the target may be about any other record as well.
    fn reads_records_of(&self, _object: &str) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::object([("activities", Type::list(Type::text()))])
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        Targets { target: self.target.as_ref(), object: self.object.as_deref() }.check(cx);
        let Some(activities) = &self.activities else { return };
        if activities.is_empty() && !cx.has_problem("activities") {
            let message = "expected at least one type, or no key `activities`, which means all of them; found none";
            cx.error(code::INVALID_VALUE, &cx.key("activities"), message);
        }
        for (at, activity) in activities.iter().enumerate() {
            let path = cx.key("activities").index(at);
            check_activity(cx.report, cx.facts.around, activity, &path);
            if activities[..at].contains(activity) {
                cx.error(code::DUPLICATE_ID, &path, format!("expected each type once, found {activity:?} again"));
            }
        }
    }
}
