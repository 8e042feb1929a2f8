//! People log activities about records.

use jiff::Timestamp;
use pawl_engine::{ActivityStatus, RecordActivity, Subject};
use pawl_runtime::items::date::{DateEntry, Dated};
use pawl_runtime::{ActivityError, NewRecordActivity};
use serde_json::{Map, Value};

use super::{HappeningError, World, at_once};

impl World {
    /// When an activity of a type about a record becomes overdue next, or a trigger of a workflow fires that counts from there.
    pub fn next_overdue(&self, workflow: &str, (activity, record): (&str, &Subject)) -> Option<Timestamp> {
        let is_meant = |one: &RecordActivity| one.activity == activity && one.records.contains(record);
        let meant: Vec<_> = self.activities().into_iter().filter(is_meant).map(|one| one.id).collect();
        let due = self.store.due_activities().into_iter().filter(|due| meant.contains(&due.activity));
        let is_of_one = |entry: &DateEntry| meant.iter().any(|id| entry.of == Dated::Activity(id.clone()));
        let entries = self.store.dates().into_iter().filter(|entry| entry.workflow == workflow && is_of_one(entry));
        due.map(|due| due.at).chain(entries.map(|entry| entry.at)).min()
    }

    /// Somebody logs an activity: the open one of its type about the record that is due first, else a new one.
    pub fn log_activity(
        &self,
        (activity, record): (&str, Subject),
        (note, fields): (Option<String>, Map<String, Value>),
        by: &str,
    ) -> Result<(), HappeningError> {
        let is_meant = |one: &RecordActivity| {
            one.status == ActivityStatus::Open && one.activity == activity && one.records.contains(&record)
        };
        let mut open: Vec<_> = self.activities().into_iter().filter(is_meant).collect();
        open.sort_by_key(|one| (one.due.is_none(), one.due));
        let activities = &self.system.record_activities;
        let done = if let Some(open) = open.first() {
            at_once(activities.end(&open.id, ActivityStatus::Logged, (note, fields), by))
        } else {
            let (activity, records) = (activity.to_owned(), vec![record]);
            let new =
                NewRecordActivity { activity, note, fields, records, logged: true, ..NewRecordActivity::default() };
            at_once(activities.create(new, by))
        };
        done.map(drop).map_err(refused)
    }

    /// Somebody makes an activity.
    pub fn make_activity(&self, new: NewRecordActivity) -> Result<(), HappeningError> {
        at_once(self.system.record_activities.create(new, "somebody")).map(drop).map_err(refused)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn refused(error: ActivityError) -> HappeningError {
    HappeningError::new(word(&error), error.to_string())
}

/// The code that the API answers.
fn word(error: &ActivityError) -> &'static str {
    match error {
        ActivityError::UnknownType(_) => "no_definition",
        ActivityError::NotFound(_) => "no_activity",
        ActivityError::NoRecord(_) => "no_record",
        ActivityError::Invalid(_) => "invalid_activity",
        ActivityError::Ended(_) => "activity_ended",
        ActivityError::Duplicate => "duplicate_activity",
        ActivityError::Failed(_) => "failed",
    }
}
