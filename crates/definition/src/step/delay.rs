//! `delay`: waits for a time.

use serde::Deserialize;

use super::{Shape, Waiting};
use crate::describe::JsonSchema;
use crate::types::Kinds;
use crate::validate::literal::{is_date, is_moment, is_time_of_day};
use crate::validate::words::quoted;
use crate::{Check, Expression, Template, code};

/// The step `delay`: either `for` or `until`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// How long: `2d 3h`, or a template that gives a duration.
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
}

impl Shape for Delay {
    fn waits(&self) -> Option<Waiting> {
        Some(Waiting::Time)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.exactly_one(&["for", "until"]);
        if let Some(span) = &self.r#for {
            cx.duration(span, &cx.key("for"));
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
