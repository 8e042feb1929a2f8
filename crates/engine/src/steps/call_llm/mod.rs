//! `call_llm`: what a model is asked, what its answer is worth, and what follows.

mod answer;
mod confidence;
mod fit;
mod json;
mod question;
mod thinking;

use pawl_definition::step::CallLlm;
use pawl_definition::{Template, expression::redact};
use serde_json::{Value, json};

pub use answer::{ModelReply, ModelSaid, ModelVerdict};
pub use question::ModelQuestion;

use super::{After, StepContext, StepDecision, StepHandler, StepResult};
use crate::{Activity, Allowance, ModelCall, Performed, StepCode, StepError};

/// Longest time of one call, in seconds, if the step does not say.
const CALL_S: i64 = 60;

impl StepHandler for CallLlm {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let left = left(at)?;
        let text = |template: &Template, key: &str| {
            template.resolve_text(&at.scope()).map_err(|error| StepError::from(error).at(key))
        };
        Ok(StepDecision::perform(Activity::CallLlm(ModelCall {
            model: text(&self.model, "model")?,
            system: self.system.as_ref().map(|system| text(system, "system")).transpose()?,
            prompt: text(&self.prompt, "prompt")?,
            shape: self.output.clone(),
            says_confidence: self.min_confidence.is_some(),
            timezone: at.cx.plan.timezone.clone(),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            timeout: at.timeout(CALL_S),
            left,
        })))
    }

    fn performed(&self, _at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        let output = performed.output.clone();
        let note = self.min_confidence.and_then(|least| confidence::doubt(&output, least));
        let is_low = note.is_some();
        let branch = is_low.then(|| "low_confidence".to_owned());
        Ok(After::done(StepResult {
            input: activity.input(),
            output,
            branch,
            note,
            is_kept_back: is_low,
            ..StepResult::default()
        }))
    }
}

/// What is left of the budget; nothing left is an error.
fn left(at: &StepContext<'_>) -> Result<Allowance, StepError> {
    use pawl_definition::BudgetPer;
    let Some(budget) = &at.cx.plan.workflow.limits.budget else { return Ok(Allowance::default()) };
    let spent = match budget.per {
        BudgetPer::Execution => at.execution.usage,
        BudgetPer::Day => at.cx.spent_today,
    };
    if (Allowance { tokens: budget.tokens, usd: budget.usd }).is_spent_by(spent) {
        let found = format!("{} tokens and ${:.4} are spent", spent.tokens, spent.usd);
        return Err(StepError::new(StepCode::OverBudget, format!("the budget of model calls is used up: {found}")));
    }
    let tokens = budget.tokens.map(|most| most.saturating_sub(spent.tokens));
    Ok(Allowance { tokens, usd: budget.usd.map(|most| most - spent.usd) })
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
            left: Allowance::default(),
        }
    }
}
