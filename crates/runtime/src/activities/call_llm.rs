//! `call_llm`: asks once.

use jiff::SignedDuration;
use pawl_engine::{ModelCall, Performed, StepCode, StepError, Usage};
use serde_json::{Map, Value, json};

use super::lease::LeaseGuard;
use super::retry_after;
use crate::ports::{ModelAnswer, ModelError, ModelErrorKind, ModelRequest, Models};

/// After how many seconds a call that found no free slot is tried again.
const BUSY_AGAIN_S: u64 = 2;

/// Calls, once. What the answer is worth, the step says.
pub(super) async fn perform(models: &dyn Models, call: &ModelCall, lease: LeaseGuard<'_>) -> Performed {
    ask(models, call, lease).await.unwrap_or_else(Performed::failed)
}

async fn ask(models: &dyn Models, call: &ModelCall, lease: LeaseGuard<'_>) -> Result<Performed, StepError> {
    let slot = models.slot(&call.model, ModelCall::SLOT_WAIT).await;
    let _slot = slot.map_err(|error| failure(&error, lease))?;
    lease.allows(call.timeout)?;
    let request = request(call);
    let sent = request.prompt.len() + request.system.as_deref().map_or(0, str::len);
    let asked = lease.clock.now();
    let answer = models.complete(request).await.map_err(|error| failure(&error, lease))?;
    Ok(performed(call, &answer, sent, lease.clock.now().duration_since(asked)))
}

/// The answer as it came, for the step and for history, and what it cost.
fn performed(call: &ModelCall, answer: &ModelAnswer, sent: usize, latency: SignedDuration) -> Performed {
    let received = answer.text.len() + answer.thinking_bytes + answer.refusal.as_deref().map_or(0, str::len);
    let (input, output, estimated) = answer.tokens.or_estimate(sent, received);
    let usd = answer.price.map(|price| price.of(input, output));
    let latency_ms = i64::try_from(latency.as_millis()).unwrap_or(i64::MAX);
    let known = [
        ("finish_reason", answer.finish_reason.as_ref().map(|reason| json!(reason))),
        ("model", answer.model.as_ref().map(|model| json!(model))),
        ("refusal", answer.refusal.as_ref().map(|words| json!(words))),
        ("usd", usd.map(|usd| json!(usd))),
        ("estimated", estimated.then_some(Value::Bool(true))),
        ("text", Some(json!(answer.text))),
        ("input_tokens", Some(json!(input))),
        ("output_tokens", Some(json!(output))),
        ("latency_ms", Some(json!(latency_ms))),
    ];
    let known: Map<_, _> = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Performed {
        output: json!({"raw": answer.text}),
        usage: Usage { tokens: input.saturating_add(output), usd: usd.unwrap_or(0.0), estimated },
        trace: json!({"model": call.model, "max_tokens": call.max_tokens, "answer": known}),
        error: None,
    }
}

fn request(call: &ModelCall) -> ModelRequest {
    let question = call.question();
    ModelRequest {
        model: call.model.clone(),
        system: question.system,
        prompt: question.prompt,
        schema: call.schema(),
        temperature: call.temperature,
        max_tokens: call.max_tokens,
        timeout: call.timeout,
    }
}

fn failure(error: &ModelError, lease: LeaseGuard<'_>) -> StepError {
    let message = error.to_string();
    let retry_after_s = error.retry_after.as_deref().and_then(|header| retry_after::seconds(header, lease.clock.now()));
    let error = match error.kind {
        ModelErrorKind::NotConfigured => StepError::new(StepCode::ModelNotConfigured, message),
        ModelErrorKind::Refused => StepError::new(StepCode::ModelRefused, message),
        ModelErrorKind::Throttled => StepError::new(StepCode::ModelThrottled, message),
        ModelErrorKind::Busy => {
            StepError { retry_after_s: Some(BUSY_AGAIN_S), ..StepError::new(StepCode::ModelBusy, message) }
        }
        ModelErrorKind::Server => StepError::new(StepCode::ModelServer, message),
        ModelErrorKind::Network => StepError::new(StepCode::ModelNetwork, message),
        ModelErrorKind::Timeout => StepError::new(StepCode::ModelTimeout, message),
    };
    StepError { retry_after_s: error.retry_after_s.or(retry_after_s), ..error }
}
