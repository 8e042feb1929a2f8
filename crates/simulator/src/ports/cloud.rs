//! Services of the cloud: a queue that takes messages, and functions. Events go into the own intake, as in the embedded mode.

use async_trait::async_trait;
use pawl_engine::ids;
use pawl_runtime::ports::{CloudAnswer, CloudCall, CloudCalls, CloudError, CloudRequest};
use serde_json::json;

use super::outside::Outside;
use crate::chance::hash;

/// How a call goes wrong at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Throttled,
    Server,
    BeforeEffect,
    AfterEffect,
}

/// Whether a call fails at first, and how.
fn scripted(call: &CloudCall, asked: u32) -> Option<Failure> {
    let kinds = [
        Some(Failure::Throttled),
        Some(Failure::Server),
        Some(Failure::BeforeEffect),
        Some(Failure::AfterEffect),
        None,
        None,
    ];
    let nth = hash(&format!("{}|cloud", call.id)) % 6;
    kinds[usize::try_from(nth).expect("below six")].filter(|_| asked == 0)
}

#[async_trait]
impl CloudCalls for Outside {
    async fn call(&self, call: &CloudCall) -> Result<CloudAnswer, CloudError> {
        let what = match &call.request {
            CloudRequest::PublishEvent { source, .. } => source,
            CloudRequest::SendMessage { to, .. } => to.name(),
            CloudRequest::InvokeFunction { function, .. } => function,
        };
        let claimed = self.attempt(what);
        if let Some((execution, claim)) = &claimed {
            let expected = ids::step_message_id(execution, &claim.step, claim.visit);
            if call.id != expected {
                self.hub.violate(4, format!("the call of {what} has another id than {expected}: {}", call.id));
            }
        }
        if matches!(call.request, CloudRequest::PublishEvent { .. }) {
            self.hub.count("events published");
            return Ok(CloudAnswer::NoBus);
        }
        self.way(call.timeout).await;
        let asked = self.hub.lock().ledger.ask(&format!("cloud|{}", call.id));
        let failure = scripted(call, asked);
        if let Some(failure) = failure {
            self.hub.count("outside failures");
            self.hub.note(&format!("the call of {what} fails: {failure:?}"));
        }
        match failure {
            Some(Failure::Throttled) => {
                self.refused(claimed.as_ref());
                return Err(CloudError::Throttled("come back later".to_owned()));
            }
            Some(Failure::Server) => return Err(CloudError::Server("busy".to_owned())),
            Some(Failure::BeforeEffect) => {}
            Some(Failure::AfterEffect) | None => self.performed(claimed.as_ref()),
        }
        if failure.is_some() {
            self.hub.pause_for(call.timeout).await;
            return Err(CloudError::Network("no answer".to_owned()));
        }
        self.way(call.timeout).await;
        match &call.request {
            CloudRequest::InvokeFunction { function, input, .. } if function.starts_with("fails") => {
                let output = json!({"errorType": "Simulated", "input": input});
                Err(CloudError::Failed { message: "Simulated".to_owned(), output })
            }
            CloudRequest::InvokeFunction { input, .. } => Ok(CloudAnswer::Output(json!({"echo": input}))),
            _ => Ok(CloudAnswer::Output(json!({"message_id": call.id}))),
        }
    }
}
