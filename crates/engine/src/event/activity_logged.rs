//! An activity about records is logged: the event has it as `activity`. There is one event about each of its records, for workflows
//! on such records, and one about none, for global workflows.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind, EventType, of_activity};
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

/// The events of an activity that has just been logged: one about each of its records, and one about none. Another activity has
/// none.
pub fn logged(activity: &RecordActivity) -> Vec<Event> {
    let Some(at) = activity.ended_at.filter(|_| activity.status == ActivityStatus::Logged) else { return Vec::new() };
    let id = |record: Option<&Subject>| ids::logged_event_id(&activity.id, record);
    of_activity::events(EventType::ActivityLogged, activity, at, id)
}
