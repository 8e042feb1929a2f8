//! `send_signal`: sends a signal for a step. It reaches nothing outside of Pawl.

use pawl_engine::{Performed, SignalSending, StepCode, StepError};
use serde_json::json;

use super::lease::LeaseGuard;
use crate::{NewSignal, SendError, SignalState, Signals};

/// Sends it. A call that is made again finds what it sent before, and offers it again.
pub(super) async fn send(signals: &Signals, sending: &SignalSending, lease: LeaseGuard<'_>) -> Performed {
    if let Err(error) = lease.allows(jiff::SignedDuration::ZERO) {
        return Performed::failed(error);
    }
    let SignalSending { id, name, key, payload } = sending.clone();
    let new = NewSignal { id, name, key, payload, sent_at: lease.clock.now() };
    let (status, execution) = match signals.accept(&new).await {
        Ok(sent) => match sent.state {
            SignalState::Kept => ("kept", None),
            SignalState::Received { execution } => ("received", Some(execution)),
            SignalState::Refused { why, .. } => {
                return Performed::failed(StepError::new(StepCode::SignalRefused, why));
            }
        },
        Err(error) => return Performed::failed(failure(&error)),
    };
    Performed::done(json!({"signal_id": new.id, "status": status, "execution_id": execution}))
}

fn failure(error: &SendError) -> StepError {
    match error {
        SendError::TooMany(..) => StepError::new(StepCode::TooManySignals, error.to_string()),
        SendError::TooLarge(_) => StepError::new(StepCode::SignalTooLarge, error.to_string()),
        // The id follows from the visit, whose inputs may be others since an edit: what was sent stays sent.
        SendError::OtherContent => StepError::new(StepCode::SignalRefused, error.to_string()),
        SendError::Failed(failed) => {
            StepError::signal_interrupted(format!("the signal could not be sent: {failed}"), failed.is_transient())
        }
    }
}
