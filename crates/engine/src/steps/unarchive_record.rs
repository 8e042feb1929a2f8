//! `unarchive_record`: the record comes back; one that is not in the archive stays as it is.

use pawl_definition::step::UnarchiveRecord;
use pawl_definition::{Object, Template};

use super::targets::{self, ChangesRecords};
use super::{StepContext, StepDecision, StepHandler};
use crate::{Found, Record, StepError};

impl StepHandler for UnarchiveRecord {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        targets::enter(self, at)
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        targets::found(self, at, found)
    }
}

impl ChangesRecords for UnarchiveRecord {
    fn target(&self) -> Option<&Template> {
        self.target.as_ref()
    }

    fn target_object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn change(&self, _: &StepContext<'_>, _: &Object, record: &mut Record) -> Result<(), StepError> {
        record.archived_at = None;
        Ok(())
    }
}
