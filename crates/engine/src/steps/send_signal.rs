//! `send_signal`: a claimed call. The signal's id follows from the visit, so that a call that is made again sends nothing
//! twice.

use pawl_definition::step::SendSignal;
use serde_json::{Value, json};

use super::wait_for_signal::key;
use super::{StepContext, StepDecision, StepHandler};
use crate::{Activity, SignalSending, StepCode, StepError, ids};

/// Seconds after which a signal is sent again that storage or a queue did not take.
const INTERRUPTED_S: u64 = 2;

/// Seconds after which it is sent again if an item has to be restored first.
const FAILED_S: u64 = 300;

impl StepHandler for SendSignal {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let resolve = |template: &pawl_definition::Template| {
            template.resolve(&at.scope()).map_err(|error| StepError::from(error).at("payload"))
        };
        Ok(StepDecision::perform(Activity::SendSignal(SignalSending {
            id: ids::step_signal_id(&at.execution.id, &at.step.id, at.state.visit),
            name: self.signal.clone(),
            key: key(&self.key, at)?,
            payload: self.payload.as_ref().map(resolve).transpose()?.unwrap_or_default(),
        })))
    }

    /// A call that is made again sends nothing twice.
    fn only_looks(&self, _checkpoint: &Value) -> bool {
        true
    }
}

impl SignalSending {
    /// Its input for history.
    pub fn input(&self) -> Value {
        json!({"signal": self.name, "key": self.key, "payload": self.payload})
    }
}

impl StepError {
    /// Sending a signal was interrupted by a failure that goes away by itself, or when a person has restored something.
    pub fn signal_interrupted(message: impl Into<String>, is_transient: bool) -> Self {
        let wait = if is_transient { INTERRUPTED_S } else { FAILED_S };
        Self { retry_after_s: Some(wait), ..Self::new(StepCode::SignalInterrupted, message) }
    }
}
