//! `delay`: waits for a time.

use serde::Deserialize;

use super::{Shape, Step, Waiting};
use crate::describe::JsonSchema;
use crate::types::Kinds;
use crate::validate::literal::{is_date, is_moment, is_time_of_day};
use crate::validate::words::quoted;
use crate::{Check, Expression, Template, WaitLength, WorkflowCalendar, code};

/// The step `delay`: either `for` or `until`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// How long: `2d 3h`, `3 business days`, or a template that gives one of these.
    #[serde(default)]
    pub r#for: Option<Template>,
    /// CEL that gives a date and time.
    #[serde(default)]
    pub until: Option<Expression>,
    /// Then on to this time of day, `HH:MM`, in the workflow's time zone.
    #[serde(default)]
    pub at: Option<String>,
    /// Then on to the next business day.
    #[serde(default)]
    pub business_days: bool,
    /// Its business days, in place of those of the workflow: the id of a calendar, or a list of holidays beside Saturdays and Sundays.
    #[serde(default)]
    pub calendar: Option<WorkflowCalendar>,
}

impl Delay {
    /// Whether `for` is a number of business days, or may give one.
    fn may_count_business_days(&self) -> bool {
        let literal = self.r#for.as_ref().map(Template::literal);
        literal.is_some_and(|literal| {
            literal.is_none_or(|length| WaitLength::from_value(length).is_some_and(WaitLength::is_business_days))
        })
    }
}

impl Shape for Delay {
    fn words(&self, _: &Step) -> String {
        let length = match (&self.r#for, &self.until) {
            (Some(length), _) => format!("waits for {}", length.words().trim_matches('"')),
            (None, Some(until)) => format!("waits until {}", until.words()),
            (None, None) => "waits".to_owned(),
        };
        let at = self.at.as_ref().map_or(String::new(), |at| format!(", then until {at}"));
        let day = if self.business_days { ", on a business day" } else { "" };
        length + &at + day
    }

    fn waits(&self) -> Option<Waiting> {
        Some(Waiting::Time)
    }

    fn calendar(&self) -> Option<&WorkflowCalendar> {
        self.calendar.as_ref()
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.exactly_one(&["for", "until"]);
        cx.calendar_of_days(self.calendar.as_ref(), self.business_days || self.may_count_business_days());
        if let Some(span) = &self.r#for {
            cx.wait_length(span, &cx.key("for"));
            if let Some(span) = span.whole() {
                let lengths = Kinds::DURATION | Kinds::TEXT | Kinds::NUMBER;
                cx.gives(span, lengths, "a duration such as `2d 3h`", &cx.key("for"));
            }
        }
        if let Some(until) = self.until.as_ref().map(Expression::source).filter(|until| is_moment(until)) {
            let message = format!("expected CEL that gives a date and time, found the plain text {}", quoted(until));
            let call = if is_date(until) { "date" } else { "timestamp" };
            cx.error(code::INVALID_TIME, &cx.key("until"), message).suggest(format!("write `{call}({until:?})`"));
        }
        if let Some(until) = self.until.as_ref().filter(|until| !is_moment(until.source())) {
            cx.gives(until, Kinds::TIME | Kinds::TEXT, "a date and time", &cx.key("until"));
        }
        if let Some(at) = self.at.as_ref().filter(|at| !is_time_of_day(at)) {
            let message = format!("expected a time of day such as \"09:00\", found {}", quoted(at));
            cx.error(code::INVALID_TIME, &cx.key("at"), message);
        }
    }
}
