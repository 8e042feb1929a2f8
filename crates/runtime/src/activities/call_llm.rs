//! `call_llm`: asks, reads the answer, and asks afresh at most twice if it does not fit.

use jiff::SignedDuration;
use pawl_engine::steps::{ModelQuestion, ModelReply, ModelSaid};
use pawl_engine::{ModelCall, Performed, StepCode, StepError, Usage};
use serde_json::{Map, Value, json};

use super::lease::LeaseGuard;
use super::retry_after;
use crate::ports::{ModelAnswer, ModelError, ModelErrorKind, ModelRequest, Models};

/// How often an answer that does not fit is asked for again.
const REPAIRS: usize = 2;

/// After how many seconds a call that found no free slot is tried again.
const BUSY_AGAIN_S: u64 = 2;

/// Calls, at most three times.
pub(super) async fn perform(models: &dyn Models, call: &ModelCall, lease: LeaseGuard<'_>) -> Performed {
    let mut asking = Asking { call, usage: Usage::default(), answers: Vec::new() };
    match asking.ask(models, lease).await {
        Ok(output) => Performed { output, ..asking.performed() },
        Err(error) => Performed { output: asking.raw(), error: Some(error), ..asking.performed() },
    }
}

/// A call under way.
struct Asking<'a> {
    call: &'a ModelCall,
    usage: Usage,
    /// As they came, for history.
    answers: Vec<Value>,
}

impl Asking<'_> {
    async fn ask(&mut self, models: &dyn Models, lease: LeaseGuard<'_>) -> Result<Value, StepError> {
        // Held for repairs too: an answer that was paid for is not given up for want of a turn.
        let slot = models.slot(&self.call.model, ModelCall::SLOT_WAIT).await;
        let _slot = slot.map_err(|error| failure(&error, lease))?;
        let mut reasons = Vec::new();
        for _ in 0..=REPAIRS {
            let answer = self.once(models, lease, self.call.question(&reasons)).await?;
            let said = ModelSaid {
                text: &answer.text,
                refusal: answer.refusal.as_deref(),
                finish_reason: answer.finish_reason.as_deref(),
            };
            match self.call.read(said) {
                ModelReply::Value(output) => return Ok(output),
                ModelReply::Invalid(why) => reasons = why,
                ModelReply::Unusable(error) => return Err(error),
            }
        }
        let reasons = reasons.join("; ");
        let message = format!("the model's answer was not usable after {REPAIRS} repairs: {reasons}");
        Err(StepError::new(StepCode::ModelAnswerInvalid, message))
    }

    /// Asks once, within the lease and the budget, and as long as nobody stops it.
    async fn once(
        &mut self,
        models: &dyn Models,
        lease: LeaseGuard<'_>,
        question: ModelQuestion,
    ) -> Result<ModelAnswer, StepError> {
        if self.answers.is_empty() {
            lease.allows(self.call.timeout)?;
        } else {
            lease.allows_one_more(self.call.timeout).await?;
        }
        if self.call.left.is_spent_by(self.usage) {
            let message = "the budget of model calls was used up before a usable answer came";
            return Err(StepError::new(StepCode::OverBudget, message));
        }
        let request = request(self.call, question);
        let sent = request.prompt.len() + request.system.as_deref().map_or(0, str::len);
        let asked = lease.clock.now();
        let answer = models.complete(request).await.map_err(|error| failure(&error, lease))?;
        self.note(&answer, sent, lease.clock.now().duration_since(asked));
        Ok(answer)
    }

    /// Keeps an answer for history, and counts what it cost.
    fn note(&mut self, answer: &ModelAnswer, sent: usize, latency: SignedDuration) {
        let received = answer.text.len() + answer.thinking_bytes + answer.refusal.as_deref().map_or(0, str::len);
        let (input, output, estimated) = answer.tokens.or_estimate(sent, received);
        let usd = answer.price.map(|price| price.of(input, output));
        let tokens = input.saturating_add(output);
        self.usage = self.usage.plus(Usage { tokens, usd: usd.unwrap_or(0.0), estimated });
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
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.answers.push(known.collect::<Map<_, _>>().into());
    }

    /// The last answer as it came, for steps that follow a failure.
    fn raw(&self) -> Value {
        self.answers.last().map_or(Value::Null, |answer| json!({"raw": answer["text"]}))
    }

    fn performed(self) -> Performed {
        let trace = match self.answers.len() {
            0 => Value::Null,
            asked => json!({
                "model": self.call.model,
                "max_tokens": self.call.max_tokens,
                "repairs": asked - 1,
                "answers": self.answers,
            }),
        };
        Performed { usage: self.usage, trace, ..Performed::default() }
    }
}

fn request(call: &ModelCall, question: ModelQuestion) -> ModelRequest {
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
