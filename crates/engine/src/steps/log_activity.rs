//! `log_activity`: notes an activity that is done already.

use pawl_definition::step::LogActivity;

use super::about_records::{enter, made};
use super::{StepContext, StepDecision, StepHandler};
use crate::{ActivityStatus, Found, StepError};

impl StepHandler for LogActivity {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        enter(self.new_activity(), at, |found| self.found(at, found))
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        made(self.new_activity(), at, found, (ActivityStatus::Logged, None))
    }
}
