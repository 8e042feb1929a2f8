//! Calls of services of the cloud: `publish_event`, `send_message`, `invoke_function`.
//!
//! Where there is no bus outside, an event goes into the installation's own intake, as `POST /v1/events` does. Its id and its
//! time follow from the visit, so that a call that is made again starts nothing twice, however late; and it carries its cause,
//! so that the guards against loops see through it.

use pawl_definition::json::{self, Bounds};
use pawl_engine::{CloudCall, CloudRequest, Event, Performed, StepCode, StepError};
use serde_json::{Value, json};

use super::lease::LeaseGuard;
use super::start_workflow::cause;
use crate::ports::{CloudAnswer, CloudCalls, CloudError};
use crate::{Error, Identity, Ingest, bus};

/// Makes the call.
pub(super) async fn perform(
    (cloud, ingest): (&dyn CloudCalls, &Ingest),
    call: &CloudCall,
    lease: LeaseGuard<'_>,
) -> Performed {
    if let Err(error) = lease.allows(call.timeout) {
        return Performed::failed(error);
    }
    match cloud.call(call).await {
        Ok(CloudAnswer::Output(output)) => answered(output),
        Ok(CloudAnswer::NoBus) => take_in(ingest, call, lease).await,
        Err(CloudError::Failed { message, output }) => {
            let error = StepError::new(StepCode::FunctionFailed, message);
            Performed { error: Some(error), ..answered(output) }
        }
        Err(error) => Performed::failed(failure(&error)),
    }
}

/// What a function gave is a value from outside.
fn answered(output: Value) -> Performed {
    match json::check(&output, &Bounds::OUTSIDE) {
        Ok(()) => Performed::done(output),
        Err(bound) => {
            let message = format!("expected an answer within bounds, found {bound}; the function has run");
            Performed::failed(StepError::new(StepCode::CloudInvalid, message))
        }
    }
}

/// Takes an event in, as one that somebody posts.
async fn take_in(ingest: &Ingest, call: &CloudCall, lease: LeaseGuard<'_>) -> Performed {
    let CloudRequest::PublishEvent { source, detail_type, detail } = &call.request else {
        let message = "only an event can be taken in by the installation itself";
        return Performed::failed(StepError::new(StepCode::CloudNotConfigured, message));
    };
    let envelope = json!({
        "version": "0", "id": call.id, "source": source, "detail-type": detail_type, "time": call.began_at.to_string(),
        "resources": [], "detail": detail,
    });
    let event = match bus::outside(&envelope) {
        Ok(Some(event)) => Event { cause: cause(lease.execution), ..event },
        Ok(None) => {
            let message = "the sources of Pawl's own events begin with `pawl.`";
            return Performed::failed(StepError::new(StepCode::CloudInvalid, message));
        }
        Err(error) => return Performed::failed(StepError::new(StepCode::CloudInvalid, error.reason)),
    };
    let identity = Identity::of(Some(&call.id));
    let taken = match ingest.earlier(bus::POSTED, bus::POSTED, &identity).await {
        Ok(None) => ingest.accept_undecided(event, &identity).await.map(drop),
        earlier => earlier.map(drop),
    };
    match taken {
        Ok(()) => Performed::done(json!({"event_id": call.id})),
        Err(error) => Performed::failed(not_taken(&error)),
    }
}

/// Storage or a queue failed: it may have been taken in, and a repeat is the same event.
fn not_taken(error: &Error) -> StepError {
    let code = if error.is_transient() { StepCode::CloudNetwork } else { StepCode::CloudServer };
    StepError::new(code, format!("the event could not be taken in: {error}"))
}

fn failure(error: &CloudError) -> StepError {
    let code = match error {
        CloudError::NotConfigured(_) => StepCode::CloudNotConfigured,
        CloudError::Throttled(_) => StepCode::CloudThrottled,
        CloudError::Network(_) => StepCode::CloudNetwork,
        CloudError::Server(_) => StepCode::CloudServer,
        CloudError::NotFound(_) => StepCode::CloudNotFound,
        CloudError::Denied(_) => StepCode::CloudDenied,
        CloudError::Invalid(_) => StepCode::CloudInvalid,
        CloudError::Failed { .. } => StepCode::FunctionFailed,
    };
    StepError::new(code, error.to_string())
}
