//! `activity_logged`: a person or a step logs an activity.

use serde::Deserialize;

use super::{Listen, TypeFacts};
use crate::Check;
use crate::code;
use crate::describe::JsonSchema;
use crate::kind::check_activity;
use crate::step::of_activity;
use crate::types::Type;
use crate::validate::Facts;

/// The trigger `activity_logged`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityLogged {
    /// Type of the activity.
    pub activity: String,
}

impl Listen for ActivityLogged {
    /// The event shows the other records that the activity is about.
    fn facts() -> TypeFacts {
        TypeFacts { brings_results: true, ..TypeFacts::default() }
    }

    fn words(&self) -> String {
        format!("an activity of the type {} is logged", self.activity)
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        event(&self.activity, facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        check(&self.activity, cx);
    }
}

/// What events about activities of a type have.
pub(super) fn event(activity: &str, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
    let activity = facts.around.definitions.and_then(|all| all.activity_types.get(activity));
    vec![("activity", of_activity(activity))]
}

/// Checks the type of the activities that a trigger names.
pub(super) fn check(activity: &str, cx: &mut Check<'_, '_>) {
    check_activity(cx.report, cx.facts.around, activity, &cx.key("activity"));
    let activity = cx.facts.around.definitions.and_then(|all| all.activity_types.get(activity));
    if let (Some(activity), Some(own)) = (activity, cx.facts.object_id)
        && !activity.is_about(own)
    {
        let message = format!("this trigger never fires: activity {:?} is not about records of {own:?}", activity.id);
        cx.error(code::NOT_ALLOWED, &cx.key("activity"), message);
    }
}
