//! `call_llm`: what a model is asked, what its answer is worth, and what follows.

mod answer;
mod confidence;
mod fit;
mod json;
mod question;
mod thinking;

use pawl_definition::step::CallLlm;
use pawl_definition::{Template, expression::redact};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use answer::{ModelReply, ModelSaid, ModelVerdict};
pub use question::ModelQuestion;

use super::{After, NextCall, Perform, StepContext, StepDecision, StepHandler, StepResult};
use crate::{Activity, ModelCall, Performed, StepCode, StepError, StepState, Usage};

/// Longest time of one call, in seconds, if the step does not say.
const CALL_S: i64 = 60;

/// How often an answer that does not fit is asked for again.
const REPAIRS: u32 = 2;

/// What a visit keeps of its calls whose answers did not fit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Asked {
    /// How many there were.
    calls: u32,
    /// How many of them the present attempt has made.
    repairs: u32,
    /// What was wrong with the last one.
    wrong: Vec<String>,
}

impl StepHandler for CallLlm {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        within_budget(at)?;
        let asked = Asked::of(at.state);
        let text = |template: &Template, key: &str| {
            template.resolve_text(&at.scope()).map_err(|error| StepError::from(error).at(key))
        };
        let activity = Activity::CallLlm(ModelCall {
            model: text(&self.model, "model")?,
            system: self.system.as_ref().map(|system| text(system, "system")).transpose()?,
            prompt: text(&self.prompt, "prompt")?,
            shape: self.output.clone(),
            says_confidence: self.min_confidence.is_some(),
            timezone: at.cx.plan.timezone.clone(),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            timeout: at.timeout(CALL_S),
            wrong: asked.wrong.clone(),
        });
        Ok(StepDecision::Perform(Perform { activity, part: asked.part(), checkpoint: at.state.checkpoint.clone() }))
    }

    fn performed(&self, at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        let (input, asked) = (activity.input(), Asked::of(at.state));
        let reply = match activity {
            Activity::CallLlm(call) => call.read(ModelSaid::of(&performed.trace["answer"])),
            // What an edit puts in the place of a step takes no result of it.
            _ => ModelReply::Value(performed.output.clone()),
        };
        match reply {
            ModelReply::Value(output) => Ok(After::done(result(self, input, output))),
            ModelReply::Unusable(error) => Err(error),
            ModelReply::Invalid(reasons) if asked.repairs < REPAIRS => Ok(After::Perform(Box::new(NextCall {
                checkpoint: json!(asked.once_more(&reasons)),
                output: performed.output.clone(),
                note: Some(format!("asks again, for the answer does not fit: {}", reasons.join("; "))),
            }))),
            ModelReply::Invalid(reasons) => {
                let reasons = reasons.join("; ");
                let message = format!("the model's answer was not usable after {REPAIRS} repairs: {reasons}");
                Err(StepError::new(StepCode::ModelAnswerInvalid, message))
            }
        }
    }
}

/// A usable answer: a doubtful one takes its path.
fn result(step: &CallLlm, input: Value, output: Value) -> StepResult {
    let note = step.min_confidence.and_then(|least| confidence::doubt(&output, least));
    let is_low = note.is_some();
    let branch = is_low.then(|| "low_confidence".to_owned());
    StepResult { input, output, branch, note, is_kept_back: is_low, ..StepResult::default() }
}

impl Asked {
    fn of(state: &StepState) -> Self {
        let asked = Self::deserialize(&state.checkpoint).unwrap_or_default();
        let gave_up = state.error.as_ref().is_some_and(|error| error.code == StepCode::ModelAnswerInvalid);
        // What an attempt was told that gave up is of no use to the next one.
        if gave_up { Self { calls: asked.calls, ..Self::default() } } else { asked }
    }

    fn once_more(self, reasons: &[String]) -> Self {
        Self { calls: self.calls + 1, repairs: self.repairs + 1, wrong: question::named(reasons) }
    }

    /// The part of the step that the next call is: its number in the visit, if it is not the first.
    fn part(&self) -> Option<String> {
        (self.calls > 0).then(|| (self.calls + 1).to_string())
    }
}

/// Requires that something of the budget is left.
fn within_budget(at: &StepContext<'_>) -> Result<(), StepError> {
    use pawl_definition::BudgetPer;
    let Some(budget) = &at.cx.plan.workflow.limits.budget else { return Ok(()) };
    let spent = match budget.per {
        BudgetPer::Execution => spent_by_tree(at),
        BudgetPer::Day => at.cx.spent_today,
    };
    let is_spent =
        budget.tokens.is_some_and(|most| spent.tokens >= most) || budget.usd.is_some_and(|most| spent.usd >= most);
    if is_spent {
        let found = format!("{} tokens and ${:.4} are spent", spent.tokens, spent.usd);
        return Err(StepError::new(StepCode::OverBudget, format!("the budget of model calls is used up: {found}")));
    }
    Ok(())
}

/// What an execution and all its parts have spent, as far as it is known. Of a part that is the cost of the root's own calls, and
/// what all parts count together; before an edit set the budget, nothing was counted but by each part of itself.
fn spent_by_tree(at: &StepContext<'_>) -> Usage {
    let (own, parts) = (at.execution.usage, at.cx.spent_by_parts);
    match &at.cx.event.event.region {
        Some(start) => start.usage.plus(own.at_least(parts)),
        None => own,
    }
}

impl ModelCall {
    /// Its input for history, secrets redacted.
    pub fn input(&self) -> Value {
        redact(&json!({"model": self.model, "system": self.system, "prompt": self.prompt, "schema": self.schema()}))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;
    use pawl_definition::step::AnswerShape;

    use super::*;

    /// A call whose answer has this shape: the value of a step's `output`, or null for a text.
    pub(crate) fn call(output: Value) -> ModelCall {
        let shape: Option<AnswerShape> = serde_json::from_value(output).expect("the test's output is one");
        ModelCall {
            model: "test/model".to_owned(),
            system: None,
            prompt: "Triage.".to_owned(),
            shape,
            says_confidence: false,
            timezone: TimeZone::UTC,
            temperature: None,
            max_tokens: Some(16),
            timeout: SignedDuration::from_secs(60),
            wrong: Vec::new(),
        }
    }
}
