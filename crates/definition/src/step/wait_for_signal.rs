//! `wait_for_signal`: waits until a signal with a key is sent, or times out.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Awaited, AwaitedSignal, Branch, Shape, TypeFacts, Waiting, signal_name};
use crate::describe::JsonSchema;
use crate::told::at_most_words;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Step, Template, code};

/// The step `wait_for_signal`. Output: the payload of the signal.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForSignal {
    /// Name of the signal.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"))]
    pub signal: String,
    /// Whose signal: a signal is received by a step that waits for the same name and key. A text or a number.
    pub key: Template,
    /// JSON Schema of the payload. A payload that does not fit is refused, and the step waits on.
    #[serde(default)]
    pub schema: Option<Value>,
    /// Takes signals too that were sent before the execution began.
    #[serde(default)]
    pub earlier: bool,
    /// Steps if a signal is received.
    #[serde(default)]
    pub received: Vec<Step>,
    /// Steps if it times out.
    #[serde(default)]
    pub timed_out: Vec<Step>,
}

impl Shape for WaitForSignal {
    fn words(&self, step: &Step) -> String {
        let most = step.timeout.as_ref().map_or(String::new(), |most| format!(", {}", at_most_words(most)));
        format!("waits for the signal {} for {}{most}", self.signal, self.key.words())
    }

    fn heading(&self, branch: &Branch<'_>) -> String {
        if branch.name == "received" { "if it came" } else { "if the time ran out" }.to_owned()
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["take", "timeout"], ..TypeFacts::PLAIN }
    }

    fn waits_for_others(_: &Map<String, Value>) -> bool {
        true
    }

    fn waits(&self) -> Option<Waiting> {
        Some(Waiting::Others { bounded_by: "add a `timeout` and `timed_out` steps" })
    }

    fn awaits(&self) -> Awaited<'_> {
        let signal = AwaitedSignal { name: &self.signal, earlier: self.earlier };
        Awaited { signal: Some(signal), ..Awaited::default() }
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        vec![
            Branch::new("received", "received", &self.received),
            Branch::new("timed_out", "timed_out", &self.timed_out),
        ]
    }

    fn decides(&self) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        self.schema.as_ref().map_or_else(Type::any, Type::of_schema).or_null()
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        signal_name::check(&self.signal, &self.key, cx);
        let Some(schema) = &self.schema else { return };
        if let Err(mistake) = crate::JsonSchema::new(schema) {
            let crate::Mismatch { place, message, .. } = mistake;
            let message = format!("expected a JSON Schema, found a mistake at {place:?}: {message}");
            cx.error(code::INVALID_VALUE, &cx.key("schema"), message);
        }
    }
}
