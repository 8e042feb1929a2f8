//! `note`: writes a text into the history.

use pawl_definition::step::Note;

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::StepError;

impl StepHandler for Note {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let text = self.text.resolve_text(&at.scope()).map_err(|error| StepError::from(error).at("text"))?;
        Ok(StepDecision::done(StepResult { note: Some(text), ..StepResult::default() }))
    }
}
