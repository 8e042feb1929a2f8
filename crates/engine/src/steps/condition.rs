//! `condition`: evaluates an expression and takes the branch `yes` or `no`.

use pawl_definition::step::Condition;
use serde_json::json;

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::StepError;

impl StepHandler for Condition {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let truth = self.r#if.test(&at.scope()).map_err(|error| StepError::from(error).at("if"))?;
        let branch = self.skipped_branch(truth).map(str::to_owned);
        Ok(StepDecision::done(StepResult {
            input: json!({"if": self.r#if.source()}),
            output: json!(truth),
            branch,
            ..StepResult::default()
        }))
    }

    fn skipped_branch(&self, yes: bool) -> Option<&'static str> {
        Some(if yes { "yes" } else { "no" })
    }
}
