//! `change_tags`: decides as `set_fields` does on the field that holds the tags.

use pawl_definition::step::ChangeTags;

use super::{StepContext, StepDecision, StepHandler};
use crate::{Found, StepError};

impl StepHandler for ChangeTags {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        self.change().enter(at)
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        self.change().found(at, found)
    }
}
