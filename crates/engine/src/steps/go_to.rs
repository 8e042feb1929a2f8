//! `go_to`.

use pawl_definition::step::GoTo;

use super::{Decide, Done, Next, StepContext};
use crate::StepError;

impl Decide for GoTo {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        if at.cx.plan.step(&self.step).is_none() {
            return Err(StepError::new("unknown_step", format!("`step`: the workflow has no step {:?}", self.step)));
        }
        let note = Some(format!("goes on at {}", self.step));
        Ok(Next::done(Done { go_to: Some(self.step.clone()), note, ..Done::default() }))
    }
}
