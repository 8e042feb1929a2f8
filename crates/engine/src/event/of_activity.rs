//! What events about activities have in common.

use jiff::Timestamp;
use serde_json::Map;

use super::EventType;
use crate::{Event, RecordActivity, Subject};

impl Event {
    /// The id of the activity that it tells of.
    pub fn activity(&self) -> Option<&str> {
        self.of_activity("id")
    }

    /// The type of the activity that it tells of.
    pub(crate) fn activity_type(&self) -> Option<&str> {
        self.of_activity("activity")
    }

    fn of_activity(&self, key: &str) -> Option<&str> {
        let tells = matches!(self.kind, EventType::ActivityLogged | EventType::ActivityOverdue);
        self.data.get("activity").filter(|_| tells)?.get(key)?.as_str()
    }

    /// Takes out of it what its activity has lost since then: a record that the activity is about was forgotten.
    pub fn follow_activity(&mut self, present: &RecordActivity) {
        let present = present.view();
        if let Some(told) = self.data.get_mut("activity").filter(|told| told["records"] != present["records"]) {
            *told = present;
        }
    }
}

/// Events about an activity: one about each of its records, and one about none.
pub(super) fn events(
    kind: EventType,
    activity: &RecordActivity,
    at: Timestamp,
    id: impl Fn(Option<&Subject>) -> String,
) -> Vec<Event> {
    let subjects = activity.records.iter().map(Some).chain([None]);
    subjects.map(|subject| event(kind, activity, at, (id(subject), subject))).collect()
}

/// One of them.
pub(super) fn event(
    kind: EventType,
    activity: &RecordActivity,
    at: Timestamp,
    (id, subject): (String, Option<&Subject>),
) -> Event {
    Event {
        id,
        kind,
        workflow: None,
        trigger: None,
        subject: subject.cloned(),
        occurred_at: at,
        data: Map::from_iter([("activity".to_owned(), activity.view())]),
        creation: None,
        cause: activity.cause.clone().unwrap_or_default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}
