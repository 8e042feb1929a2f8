//! `delay`: waits for a time.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Shape;
use crate::{Expression, Template};

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

impl Shape for Delay {}
