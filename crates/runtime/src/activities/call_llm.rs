//! `call_llm`: asks, reads the answer, and has it repaired at most twice.

use pawl_definition::FailureClass;
use pawl_engine::steps::{Reply, parse_reply, repair_prompt};
use pawl_engine::{ModelCall, Performed, StepError, Usage};
use serde_json::{Value, json};

use super::lease::Held;
use crate::ports::{ModelError, ModelRequest, Models};

/// How often an unusable answer is sent back.
const REPAIRS: usize = 2;

/// Calls, at most three times.
pub(super) async fn perform(models: &dyn Models, call: &ModelCall, held: Held<'_>) -> Performed {
    let mut asking = Asking { call, messages: vec![call.prompt.clone()], usage: Usage::default(), answers: Vec::new() };
    match asking.ask(models, held).await {
        Ok(output) => Performed { output, ..asking.performed() },
        Err(error) => Performed { output: asking.raw(), error: Some(error), ..asking.performed() },
    }
}

/// A call under way.
struct Asking<'a> {
    call: &'a ModelCall,
    messages: Vec<String>,
    usage: Usage,
    /// As they came, for history.
    answers: Vec<Value>,
}

impl Asking<'_> {
    async fn ask(&mut self, models: &dyn Models, held: Held<'_>) -> Result<Value, StepError> {
        let mut reasons = Vec::new();
        for _ in 0..=REPAIRS {
            let text = self.once(models, held).await?;
            match parse_reply(&text, self.call.schema.as_ref()) {
                Reply::Value(output) => return Ok(output),
                Reply::Invalid(why) => {
                    self.messages.extend([text, repair_prompt(&why)]);
                    reasons = why;
                }
            }
        }
        let reasons = reasons.join("; ");
        let message = format!("the model's answer was not usable after {REPAIRS} repairs: {reasons}");
        Err(StepError::new("model_answer_invalid", message))
    }

    /// Asks once, within the lease and the budget, and as long as nobody stops it.
    async fn once(&mut self, models: &dyn Models, held: Held<'_>) -> Result<String, StepError> {
        if self.answers.is_empty() {
            held.allows(self.call.timeout)?;
        } else {
            held.allows_one_more(self.call.timeout).await?;
        }
        if self.call.left.is_spent_by(self.usage) {
            let message = "the budget of model calls was used up before a usable answer came";
            return Err(StepError::new("over_budget", message));
        }
        let asked = held.clock.now();
        let answer = models.complete(request(self.call, &self.messages)).await.map_err(|error| failure(&error))?;
        let latency_ms = held.clock.now().duration_since(asked).as_millis();
        let tokens = answer.input_tokens + answer.output_tokens;
        self.usage = self.usage.plus(Usage { tokens, usd: answer.usd.unwrap_or(0.0) });
        self.answers.push(json!({"text": answer.text, "latency_ms": i64::try_from(latency_ms).unwrap_or(i64::MAX)}));
        Ok(answer.text)
    }

    /// The last answer as it came, for steps that follow a failure.
    fn raw(&self) -> Value {
        self.answers.last().map_or(Value::Null, |answer| json!({"raw": answer["text"]}))
    }

    fn performed(self) -> Performed {
        let trace = if self.answers.is_empty() { Value::Null } else { json!({"answers": self.answers}) };
        Performed { usage: self.usage, trace, ..Performed::default() }
    }
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
