//! `run_state_machine`: starts a Step Functions state machine, and may wait for its end.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Shape, Step, TypeFacts, Waiting};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Template, code};

/// The step `run_state_machine`. Output: `{execution_arn, started_at}`; with `wait`: `{execution_arn, status, output}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunStateMachine {
    /// ARN of the state machine, of one of its versions or aliases.
    pub state_machine: Template,
    /// Its input; `{}` if absent or null.
    #[serde(default)]
    pub input: Option<Template>,
    /// Waits for its end.
    #[serde(default)]
    pub wait: bool,
    /// Gives it a token, `pawl.token` of its input, by which it may end the wait before it ends itself.
    #[serde(default)]
    pub callback: bool,
}

impl Shape for RunStateMachine {
    fn words(&self, _: &Step) -> String {
        let wait = if self.wait || self.callback { ", and waits for its end" } else { "" };
        format!("starts the state machine {}{wait}", self.state_machine.words())
    }

    fn reaches(&self) -> Vec<String> {
        vec![format!("the state machine {}", self.state_machine.words())]
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["timeout", "delivery"], outside: Some("state machine"), ..TypeFacts::PLAIN }
    }

    fn acts_outside(&self) -> bool {
        true
    }

    fn waits_for_others(keys: &Map<String, Value>) -> bool {
        keys.get("wait") == Some(&Value::Bool(true))
    }

    fn waits(&self) -> Option<Waiting> {
        self.wait.then_some(Waiting::Others { bounded_by: "add a `timeout`" })
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        if self.wait {
            return Type::object([("execution_arn", Type::text()), ("status", Type::text()), ("output", Type::any())]);
        }
        Type::object([("execution_arn", Type::text()), ("started_at", Type::any())])
    }

    fn failed_output(&self, _: &Facts<'_>) -> Type {
        let texts = ["execution_arn", "status", "error", "cause"].map(|key| (key, Type::text().or_null()));
        Type::object(texts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if let Some(arn) = self.state_machine.literal().filter(|arn| !arn.as_str().is_some_and(is_arn)) {
            let message = format!(
                "expected the ARN of a state machine such as \
                 \"arn:aws:states:eu-central-1:123456789012:stateMachine:Name\", found {}",
                found(arn)
            );
            cx.error(code::INVALID_VALUE, &cx.key("state_machine"), message);
        }
        if !self.callback {
            return;
        }
        if !self.wait {
            let message = "`callback` ends a wait before its time, and without `wait: true` there is none";
            cx.warning(code::SUSPICIOUS, &cx.key("callback"), message);
        }
        let input = self.input.as_ref().and_then(Template::literal);
        if let Some(input) = input.filter(|input| !input.is_object() && !input.is_null()) {
            let message =
                format!("expected a mapping, which takes the token beside `callback: true`, found {}", found(input));
            cx.error(code::INVALID_VALUE, &cx.key("input"), message);
        }
    }
}

/// `arn:<partition>:states:<region>:<account>:stateMachine:<name>`, and `:<version or alias>`.
fn is_arn(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let filled = parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace));
    filled
        && matches!(
            parts.as_slice(),
            ["arn", _, "states", _, _, "stateMachine", _] | ["arn", _, "states", _, _, "stateMachine", _, _]
        )
}
