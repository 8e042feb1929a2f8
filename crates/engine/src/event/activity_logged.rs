//! An activity about records is logged: the event has it as `activity`. There is one event about each of its records, for workflows
//! on such records, and one about none, for global workflows.

use std::collections::BTreeSet;

use serde_json::Map;

use super::{EventFacts, EventKind, EventType};
use crate::{ActivityStatus, Event, RecordActivity, Subject, ids};

/// `activity_logged`.
pub(super) struct ActivityLogged;

impl EventKind for ActivityLogged {
    fn facts(&self) -> EventFacts {
        EventFacts {
            word: "activity_logged",
            is_addressed: false,
            is_by_hand: false,
            tells_changes: false,
            is_kept: false,
        }
    }

    fn workflow_topics(&self, event: &Event) -> BTreeSet<String> {
        event.activity_type().map(ids::activity_topic).into_iter().collect()
    }

    /// A step that waits on a record listens for activities about that record, a step of a global workflow for all.
    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        let on_record = |topic: String| match &event.subject {
            Some(record) => ids::topic_on_record(&topic, record),
            None => topic,
        };
        self.workflow_topics(event).into_iter().map(on_record).collect()
    }
}

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
        let activity = self.data.get("activity").filter(|_| self.kind == EventType::ActivityLogged);
        activity?.get(key)?.as_str()
    }

    /// Takes out of it what its activity has lost since then: a record that the activity is about was forgotten.
    pub fn follow_activity(&mut self, present: &RecordActivity) {
        let present = present.view();
        if let Some(told) = self.data.get_mut("activity").filter(|told| told["records"] != present["records"]) {
            *told = present;
        }
    }
}

/// The events of the end of an activity that was logged: one about each of its records, and one about none. Another activity has
/// none.
pub fn logged(activity: &RecordActivity) -> Vec<Event> {
    let Some(at) = activity.ended_at.filter(|_| activity.status == ActivityStatus::Logged) else { return Vec::new() };
    let data = Map::from_iter([("activity".to_owned(), activity.view())]);
    let event = |subject: Option<Subject>| Event {
        id: ids::logged_event_id(&activity.id, subject.as_ref()),
        kind: EventType::ActivityLogged,
        workflow: None,
        trigger: None,
        subject,
        occurred_at: at,
        data: data.clone(),
        creation: None,
        cause: activity.cause.clone().unwrap_or_default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    };
    activity.records.iter().cloned().map(Some).chain([None]).map(event).collect()
}
