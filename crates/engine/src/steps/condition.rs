//! `condition`.

use pawl_definition::step::Condition;
use serde_json::json;

use super::{Decide, Done, Next, StepContext};
use crate::StepError;

impl Decide for Condition {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let truth = self.r#if.test(&at.scope()).map_err(|error| StepError::from(error).at("if"))?;
        let branch = self.skipped_branch(truth).map(str::to_owned);
        Ok(Next::done(Done {
            input: json!({"if": self.r#if.source()}),
            output: json!(truth),
            branch,
            ..Done::default()
        }))
    }

    fn skipped_branch(&self, yes: bool) -> Option<&'static str> {
        Some(if yes { "yes" } else { "no" })
    }
}
