//! `stop`: ends or pauses the execution, with a reason.

use pawl_definition::step::{Stop, StopAs};
use serde_json::json;

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::{Status, StepError};

impl StepHandler for Stop {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let reason = self.reason.as_ref().map(|reason| reason.resolve_text(&at.scope())).transpose();
        let reason = reason.map_err(|error| StepError::from(error).at("reason"))?;
        let status = match self.r#as {
            StopAs::Completed => Status::Completed,
            StopAs::Canceled => Status::Canceled,
            StopAs::Failed => Status::Failed,
            StopAs::Paused => Status::Paused,
        };
        Ok(StepDecision::done(StepResult {
            output: json!({"as": status}),
            note: reason.clone(),
            end: Some((status, reason)),
            ..StepResult::default()
        }))
    }
}
