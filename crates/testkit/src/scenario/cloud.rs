//! Services of the cloud as a story scripts them.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::ports::{CloudAnswer, CloudCall, CloudCalls, CloudError, CloudRequest};
use serde_json::{Value, json};

use crate::VirtualClock;

/// What a service of the cloud does with a call.
pub struct CloudReply {
    outcome: Option<Result<CloudAnswer, CloudError>>,
    takes: SignedDuration,
}

/// Does what is asked, and gives this.
pub fn cloud_gives(output: impl Into<Value>) -> CloudReply {
    CloudReply::of(Ok(CloudAnswer::Output(output.into())))
}

/// Runs, and fails.
pub fn function_fails(error: &str, message: &str) -> CloudReply {
    let output = json!({"errorType": error, "errorMessage": message});
    CloudReply::of(Err(CloudError::Failed { message: format!("{error}: {message}"), output }))
}

/// Does not do it.
pub fn cloud_refuses(error: CloudError) -> CloudReply {
    CloudReply::of(Err(error))
}

/// The process of Pawl ends right after it was done.
pub fn cloud_dies() -> CloudReply {
    CloudReply { outcome: None, takes: SignedDuration::ZERO }
}

impl CloudReply {
    fn of(outcome: Result<CloudAnswer, CloudError>) -> Self {
        Self { outcome: Some(outcome), takes: SignedDuration::ZERO }
    }

    /// Comes after this many seconds; if the caller does not wait so long, it gets a time-out.
    #[must_use]
    pub fn after_s(mut self, seconds: i64) -> Self {
        self.takes = SignedDuration::from_secs(seconds);
        self
    }
}

type Script = Box<dyn FnMut(&CloudCall) -> Option<CloudReply> + Send>;

/// The port of services of the cloud as a script. What the script does not know is done as in the embedded mode: an event goes
/// into the own intake. A message is taken. A function that no script knows is noted, and refused for good.
pub struct ScriptedCloud {
    clock: VirtualClock,
    script: Mutex<Script>,
    calls: Mutex<Vec<CloudCall>>,
    unanswered: Mutex<Vec<String>>,
}

impl ScriptedCloud {
    pub(super) fn new(clock: VirtualClock) -> Self {
        let script: Script = Box::new(|_| None);
        Self { clock, script: Mutex::new(script), calls: Mutex::default(), unanswered: Mutex::default() }
    }

    /// Replaces the script.
    pub fn script(&self, script: impl FnMut(&CloudCall) -> Option<CloudReply> + Send + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(script);
    }

    /// The calls that were made, oldest first.
    pub fn calls(&self) -> Vec<CloudCall> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Functions that the script did not know.
    pub fn unanswered(&self) -> Vec<String> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn by_itself(&self, call: &CloudCall) -> CloudReply {
        match &call.request {
            CloudRequest::PublishEvent { .. } => CloudReply::of(Ok(CloudAnswer::NoBus)),
            CloudRequest::SendMessage { .. } => cloud_gives(json!({"message_id": call.id})),
            CloudRequest::InvokeFunction { function, .. } => {
                self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).push(function.clone());
                let message = format!("no answer is scripted for the function {function}");
                cloud_refuses(CloudError::Invalid(message))
            }
        }
    }
}

#[async_trait]
impl CloudCalls for ScriptedCloud {
    async fn call(&self, call: &CloudCall) -> Result<CloudAnswer, CloudError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
        let scripted = (self.script.lock().unwrap_or_else(PoisonError::into_inner))(call);
        let CloudReply { outcome, takes } = scripted.unwrap_or_else(|| self.by_itself(call));
        self.clock.advance(takes.min(call.timeout));
        if takes > call.timeout {
            return Err(CloudError::Network(format!("no answer within {:#}", call.timeout)));
        }
        match outcome {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }
}
