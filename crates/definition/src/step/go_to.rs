//! `go_to`: goes on at another step.

use serde::Deserialize;
use serde_json::Value;

use super::{Onward, Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::validate::words::{did_you_mean, quoted};
use crate::{Check, code};

/// The step `go_to`, bounded by `limits.visits`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoTo {
    /// Id of the step.
    pub step: String,
}

impl Shape for GoTo {
    fn words(&self, _: &Step) -> String {
        format!("goes on at the step {}", self.step)
    }

    fn facts() -> TypeFacts {
        TypeFacts { only_leads: true, ..TypeFacts::PLAIN }
    }

    fn onward(&self) -> Onward<'_> {
        Onward::Jump(&self.step)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if cx.keys.get("id").and_then(Value::as_str) == Some(&self.step) {
            cx.error(code::INVALID_VALUE, &cx.key("step"), "expected another step, found this one, which goes nowhere");
            return;
        }
        if cx.facts.steps.contains_key(self.step.as_str()) {
            return;
        }
        let near = did_you_mean(&self.step, cx.facts.steps.keys().copied());
        let message = format!("expected the id of a step of this workflow, found {}", quoted(&self.step));
        cx.error(code::UNKNOWN_STEP, &cx.key("step"), message).suggest(near);
    }
}
