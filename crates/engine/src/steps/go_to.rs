//! `go_to`: continues at another step.

use pawl_definition::step::GoTo;

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::{StepCode, StepError};

impl StepHandler for GoTo {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        if at.cx.plan.step(&self.step).is_none() {
            return Err(StepError::new(
                StepCode::UnknownStep,
                format!("`step`: the workflow has no step {:?}", self.step),
            ));
        }
        let note = Some(format!("goes on at {}", self.step));
        Ok(StepDecision::done(StepResult { go_to: Some(self.step.clone()), note, ..StepResult::default() }))
    }
}
