//! `archive_record`: the record is in the archive from now on; one that is there already stays as it is.

use pawl_definition::step::ArchiveRecord;
use pawl_definition::{Object, Template};

use super::targets::{self, ChangesRecords};
use super::{StepContext, StepDecision, StepHandler};
use crate::{Found, Record, StepError};

impl StepHandler for ArchiveRecord {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        targets::enter(self, at)
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        targets::found(self, at, found)
    }
}

impl ChangesRecords for ArchiveRecord {
    fn target(&self) -> Option<&Template> {
        self.target.as_ref()
    }

    fn target_object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    fn change(&self, at: &StepContext<'_>, _: &Object, record: &mut Record) -> Result<(), StepError> {
        record.archived_at = record.archived_at.or(Some(at.cx.now));
        Ok(())
    }
}
