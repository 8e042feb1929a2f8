//! `cancel_activities`: cancels the open activities of records.

use pawl_definition::step::CancelActivities;
use pawl_definition::{Object, Template};
use serde_json::json;

use super::targets::{self, ChangesRecords};
use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::{ActivityStatus, ActivityWrite, Effect, Found, Read, Record, RecordActivity, StepCode, StepError};

/// Most items that one step writes for the activities that it cancels: a transaction takes a hundred, and the execution needs
/// some of its own.
const WRITES_MOST: usize = 80;

impl StepHandler for CancelActivities {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let records = targets::subjects(self, at)?;
        Ok(StepDecision::Read(Read::OpenActivities { records, activities: self.activities.clone() }))
    }

    fn found(&self, at: &StepContext<'_>, found: &Found) -> Result<StepDecision, StepError> {
        // One that is about two of the records is found twice.
        let mut open: Vec<&RecordActivity> = Vec::new();
        for activity in found.activities.iter().filter(|activity| activity.status == ActivityStatus::Open) {
            if open.iter().all(|other| other.id != activity.id) {
                open.push(activity);
            }
        }
        if open.iter().map(|activity| written_items(activity)).sum::<usize>() > WRITES_MOST {
            let found = open.len();
            let message = format!(
                "expected fewer open activities to cancel in one step, found {found}: name fewer types, or cancel them \
                 record by record in a `for_each`"
            );
            return Err(StepError::new(StepCode::TooManyTargets, message));
        }
        let ids: Vec<_> = open.iter().map(|activity| activity.id.clone()).collect();
        let note = ids.is_empty().then(|| "no activity was open".to_owned());
        let canceled = |activity: &&RecordActivity| {
            let after = activity.end(ActivityStatus::Canceled, (at.cx.now, None)).ok()?;
            Some(ActivityWrite { before: Some((*activity).clone()), after, about: Vec::new() })
        };
        let effects = open.iter().filter_map(canceled).map(Effect::from).collect();
        let input = json!({"records": targets::subjects(self, at)?, "activities": self.activities});
        let output = json!({"activities": ids});
        Ok(StepDecision::done(StepResult { input, output, effects, note, ..StepResult::default() }))
    }
}

/// The items that the end of an activity writes: it, the rows by which it is found, and when it is due.
fn written_items(activity: &RecordActivity) -> usize {
    1 + usize::from(activity.due.is_some()) + 2 * (activity.records.len() + usize::from(activity.assignee.is_some()))
}

impl ChangesRecords for CancelActivities {
    fn target(&self) -> Option<&Template> {
        self.target.as_ref()
    }

    fn target_object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// The records themselves stay as they are.
    fn change(&self, _: &StepContext<'_>, _: &Object, _: &mut Record) -> Result<(), StepError> {
        Ok(())
    }
}
