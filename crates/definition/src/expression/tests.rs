use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::{Calendar, Expression, ExpressionError, Scope};

mod bounds;
mod calendar;
mod data;
mod functions;
mod operators;
mod syntax;
mod template;
mod url;
mod values;

/// A scope whose variables are the keys of a JSON object, on Saturday, 2026-11-21, 09:30 in Berlin.
pub(super) struct World {
    roots: Value,
    timezone: TimeZone,
    calendar: Calendar,
    secrets: bool,
}

pub(super) fn world(roots: Value) -> World {
    let timezone = TimeZone::get("Europe/Berlin").expect("the time zone is known");
    let calendar = Calendar::of_holidays(BTreeSet::from([date(2026, 12, 25)]));
    World { roots, timezone, calendar, secrets: false }
}

impl World {
    pub(super) fn with_secrets(self) -> Self {
        Self { secrets: true, ..self }
    }
}

impl Scope for World {
    fn root(&self, name: &str) -> Option<Value> {
        self.roots.get(name).cloned()
    }
    fn now(&self) -> Timestamp {
        Timestamp::constant(1_795_249_800, 0)
    }
    fn timezone(&self) -> &TimeZone {
        &self.timezone
    }
    fn calendar(&self) -> Result<&Calendar, ExpressionError> {
        Ok(&self.calendar)
    }
    fn secrets(&self) -> bool {
        self.secrets
    }
}

/// Evaluates a text over variables.
pub(super) fn evaluated(expression: &str, roots: Value) -> Result<Value, ExpressionError> {
    Expression::parse(expression)?.evaluate(&world(roots))
}

/// What an expression gives over variables: its value as JSON, or its error with the code first.
pub(super) fn check(expression: &str, roots: Value) -> String {
    match evaluated(expression, roots) {
        Ok(value) => value.to_string(),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

/// Asserts what many expressions without variables give.
pub(super) fn check_all(cases: &[(&str, &str)]) {
    check_all_over(&json!({}), cases);
}

/// Asserts what many expressions over the same variables give.
pub(super) fn check_all_over(roots: &Value, cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(check(expression, roots.clone()), *expected, "{expression}");
    }
}
