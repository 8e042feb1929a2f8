//! `send_signal`: sends a signal to an execution that waits for it.

use serde::Deserialize;

use super::{Shape, Step, signal_name};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Template};

/// The step `send_signal`. Output: `{signal_id, status, execution_id}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendSignal {
    /// Name of the signal.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"))]
    pub signal: String,
    /// Whose signal. A text or a number.
    pub key: Template,
    /// What the step that receives it has as its output; null if absent.
    #[serde(default)]
    pub payload: Option<Template>,
}

impl Shape for SendSignal {
    fn words(&self, _: &Step) -> String {
        format!("sends the signal {} for {}", self.signal, self.key.words())
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::object([
            ("signal_id", Type::text()),
            ("status", Type::words(["kept", "received", "refused"])),
            ("execution_id", Type::text().or_null()),
        ])
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        signal_name::check(&self.signal, &self.key, cx);
    }
}
