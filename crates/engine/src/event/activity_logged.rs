//! An activity about records is logged: `activity` is it. It is told once for each of its records, and once for nobody's.

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
        let activity = event.data.get("activity").and_then(|activity| activity.get("activity")?.as_str());
        activity.map(ids::activity_topic).into_iter().collect()
    }

    /// Steps that wait on a record listen for activities about that record, and others for those of nobody.
    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        let on_record = |topic: String| match &event.subject {
            Some(record) => ids::topic_on_record(&topic, record),
            None => topic,
        };
        self.workflow_topics(event).into_iter().map(on_record).collect()
    }
}

/// The events that an activity is which has just been logged: one about each of its records, and one about none; none if it is
/// not logged.
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
