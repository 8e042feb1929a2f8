//! `activity_overdue`: the time at which an activity is due has passed, and it is still open.

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Listen, TypeFacts, activity_logged};
use crate::describe::JsonSchema;
use crate::recurrence::AroundDate;
use crate::types::Type;
use crate::validate::Facts;
use crate::{BusinessDays, Check, Duration, WorkflowCalendar, code};

/// The trigger `activity_overdue`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityOverdue {
    /// Type of the activity.
    pub activity: String,
    /// How long after the activity was due it fires, if the activity is open then: `2d`. At once if absent.
    #[serde(default)]
    pub after: Option<Duration>,
    /// What becomes of a firing on a day that is no business day: `skip` (it does not happen), `next` (it moves to the next business
    /// day, at the same time). Absent, all days are the same.
    #[serde(default)]
    pub business_days: Option<BusinessDays>,
    /// Its business days, in place of those of the workflow: the id of a calendar, or a list of holidays beside Saturdays and Sundays.
    #[serde(default)]
    pub calendar: Option<WorkflowCalendar>,
}

impl ActivityOverdue {
    /// Whether it may fire later than the activity is due.
    pub fn is_delayed(&self) -> bool {
        self.after.is_some_and(|after| after != Duration::default()) || self.business_days.is_some()
    }

    /// When it fires, before business days move it.
    pub fn around(&self, zone: &TimeZone) -> AroundDate {
        AroundDate::new(self.after.unwrap_or_default(), None, false, zone.clone())
    }
}

impl Listen for ActivityOverdue {
    /// The event shows the other records that the activity is about.
    fn facts() -> TypeFacts {
        TypeFacts { brings_results: true, ..TypeFacts::default() }
    }

    fn words(&self) -> String {
        match self.after {
            Some(after) => format!("an activity of the type {} has been overdue for {after}", self.activity),
            None => format!("an activity of the type {} is overdue", self.activity),
        }
    }

    fn overdue(&self) -> Option<&ActivityOverdue> {
        Some(self)
    }

    fn event(&self, facts: &Facts<'_>) -> Vec<(&'static str, Type)> {
        activity_logged::event(&self.activity, facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        activity_logged::check(&self.activity, cx);
        cx.calendar_of_days(self.calendar.as_ref(), self.business_days.is_some());
        if self.after.is_some_and(|after| after.approximate().is_negative()) && !cx.has_problem("after") {
            let message = "expected a time after the activity is due, found one before it";
            cx.error(code::INVALID_TIME, &cx.key("after"), message);
        }
        for (key, is_there) in [("after", self.after.is_some()), ("business_days", self.business_days.is_some())] {
            if cx.waits && is_there && !cx.has_problem(key) {
                let message = format!(
                    "`{key}` counts in a trigger of the workflow only: a step waits until the activity is overdue"
                );
                cx.error_at_key(code::NOT_ALLOWED, &cx.key(key), message);
            }
        }
    }
}
