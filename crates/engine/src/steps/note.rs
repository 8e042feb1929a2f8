//! `note`.

use pawl_definition::step::Note;

use super::{Decide, Done, Next, StepContext};
use crate::StepError;

impl Decide for Note {
    fn enter(&self, at: &StepContext<'_>) -> Result<Next, StepError> {
        let text = self.text.resolve_text(&at.scope()).map_err(|error| StepError::from(error).at("text"))?;
        Ok(Next::done(Done { note: Some(text), ..Done::default() }))
    }
}
