//! `goal`: waits for a condition on the record or an event, or times out.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Awaited, Branch, Shape, TypeFacts, Waiting};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::told::at_most_words;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Expression, Step, Trigger, WaitLength, WorkflowCalendar, code};

/// What happens if the time-out lies in the past on entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfPast {
    /// Takes `met`.
    Met,
    /// Takes `unmet`.
    #[default]
    Unmet,
    /// Waits without time-out.
    Wait,
}

/// The step `goal`. Checked once on entry; events from before do not count.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// CEL over the record.
    #[serde(default)]
    pub until: Option<Expression>,
    /// Or events; each counts for the execution's own record, if it has one.
    #[serde(default)]
    pub on: Vec<Trigger>,
    /// Steps if it is met.
    #[serde(default)]
    pub met: Vec<Step>,
    /// Steps if it times out.
    #[serde(default)]
    pub unmet: Vec<Step>,
    /// What happens if the time-out lies in the past on entry.
    #[serde(default)]
    pub if_past: IfPast,
    /// The business days of `timeout`, in place of those of the workflow: the id of a calendar, or a list of holidays beside Saturdays
    /// and Sundays.
    #[serde(default)]
    pub calendar: Option<WorkflowCalendar>,
}

impl Shape for Goal {
    fn words(&self, step: &Step) -> String {
        let until = self.until.as_ref().map(|until| format!("until {}", until.words()));
        let on = self.on.iter().map(|trigger| format!("until {}", trigger.words()));
        let most = step.timeout.as_ref().map_or(String::new(), |most| format!(", {}", at_most_words(most)));
        format!("waits {}{most}", listed(until.into_iter().chain(on), "or"))
    }

    fn heading(&self, branch: &Branch<'_>) -> String {
        if branch.name == "met" { "if that happened" } else { "if the time ran out" }.to_owned()
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["take", "timeout"], triggers_in: Some("on"), reads_record: true, ..TypeFacts::PLAIN }
    }

    fn waits_for_others(_: &Map<String, Value>) -> bool {
        true
    }

    fn waits(&self) -> Option<Waiting> {
        Some(Waiting::Others { bounded_by: "add a `timeout` and `unmet` steps" })
    }

    fn awaits(&self) -> Awaited<'_> {
        Awaited { until: self.until.as_ref(), on: &self.on, signal: None }
    }

    fn calendar(&self) -> Option<&WorkflowCalendar> {
        self.calendar.as_ref()
    }

    fn names_outcome(&self) -> bool {
        true
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        vec![Branch::new("met", "met", &self.met), Branch::new("unmet", "unmet", &self.unmet)]
    }

    fn decides(&self) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::words(["met", "unmet"])
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if let Some(until) = &self.until {
            cx.truth(until, &cx.key("until"));
            if !until.lookups().is_empty() {
                let message =
                    "lookup() is not allowed here: a goal does not learn of changes of the record that it finds";
                cx.error(code::NOT_ALLOWED, &cx.key("until"), message);
            }
        }
        let timeout = cx.keys.get("timeout");
        let is_computed = timeout.and_then(Value::as_str).is_some_and(|text| text.contains("{{"));
        let counts = timeout.and_then(WaitLength::from_value).is_some_and(WaitLength::is_business_days);
        cx.calendar_of_days(self.calendar.as_ref(), is_computed || counts);
        let waits_for_none = cx.keys.get("on").is_none_or(|on| on.as_array().is_some_and(Vec::is_empty));
        if !cx.written("until") && waits_for_none {
            cx.error(
                code::MISSING_KEY,
                &cx.path.clone(),
                "expected `until` or a trigger in `on`, found neither: nothing can meet this goal",
            );
        }
        for (at, trigger) in self.on.iter().enumerate() {
            if trigger.kind.facts().by_hand {
                let message =
                    "expected an event that can meet the goal, found \"manual\", which only starts executions";
                cx.error(code::NOT_ALLOWED, &cx.key("on").index(at).key("type"), message);
            }
        }
    }
}
