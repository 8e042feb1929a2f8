//! `call_llm`: asks, reads the answer, and has it repaired at most twice.

use pawl_definition::FailureClass;
use pawl_engine::steps::{Reply, parse_reply, repair_prompt};
use pawl_engine::{ModelCall, Performed, StepError, Usage};
use serde_json::json;

use super::lease::Held;
use crate::ports::{ModelError, ModelRequest, Models};

/// How often an unusable answer is sent back.
const REPAIRS: usize = 2;

/// Calls, at most three times.
pub(super) async fn perform(models: &dyn Models, call: &ModelCall, held: Held<'_>) -> Performed {
    let mut messages = vec![call.prompt.clone()];
    let mut usage = Usage::default();
    let mut reasons = Vec::new();
    for _ in 0..=REPAIRS {
        if let Err(error) = held.allows(call.timeout) {
            return Performed { usage, ..Performed::failed(error) };
        }
        let answer = match models.complete(request(call, &messages)).await {
            Ok(answer) => answer,
            Err(error) => return Performed { usage, ..Performed::failed(failure(&error)) },
        };
        let tokens = answer.input_tokens + answer.output_tokens;
        usage = usage.plus(Usage { tokens, usd: answer.usd.unwrap_or(0.0) });
        match parse_reply(&answer.text, call.schema.as_ref()) {
            Reply::Value(output) => return Performed { output, usage, error: None },
            Reply::Invalid(why) => {
                messages.extend([answer.text, repair_prompt(&why)]);
                reasons = why;
            }
        }
    }
    let message = format!("the model's answer was not usable after {REPAIRS} repairs: {}", reasons.join("; "));
    let raw = messages.iter().rev().nth(1).cloned();
    Performed { output: json!({"raw": raw}), usage, error: Some(StepError::new("model_answer_invalid", message)) }
}

fn request(call: &ModelCall, messages: &[String]) -> ModelRequest {
    ModelRequest {
        model: call.model.clone(),
        system: call.system.clone(),
        messages: messages.to_vec(),
        schema: call.schema.clone(),
        temperature: call.temperature,
        max_tokens: call.max_tokens,
        timeout: call.timeout,
    }
}

fn failure(error: &ModelError) -> StepError {
    let message = error.to_string();
    match error {
        ModelError::NotConfigured(_) => StepError::new("model_not_configured", message),
        ModelError::Refused(_) => StepError::new("model_refused", message),
        ModelError::Throttled(_) => StepError::classed("model_throttled", FailureClass::Throttled, message),
        ModelError::Server(_) => StepError::classed("model_server", FailureClass::Server, message),
        ModelError::Network(_) => StepError::classed("model_network", FailureClass::Network, message),
        ModelError::Timeout(_) => StepError::classed("model_timeout", FailureClass::Timeout, message),
    }
}
