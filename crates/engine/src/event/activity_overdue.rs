//! The time at which an activity is due has passed, and the activity is open: the event has it as `activity`. There is one event
//! about each of its records, for workflows on such records, and one about none, for global workflows. The event of a trigger that
//! fires later names the workflow and the trigger.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{EventFacts, EventKind, EventType, of_activity};
use crate::{ActivityStatus, Event, RecordActivity, Subject, ids};

/// `activity_overdue`.
pub(super) struct ActivityOverdue;

impl EventKind for ActivityOverdue {
    fn facts(&self) -> EventFacts {
        EventFacts {
            word: "activity_overdue",
            is_addressed: false,
            is_by_hand: false,
            tells_changes: false,
            is_kept: false,
        }
    }

    fn workflow_topics(&self, event: &Event) -> BTreeSet<String> {
        event.activity_type().map(ids::overdue_topic).into_iter().collect()
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

/// Since when an activity is overdue, if it is open and has a time: one that was made later, since then.
fn since(activity: &RecordActivity) -> Option<Timestamp> {
    let due = activity.due.filter(|_| activity.status == ActivityStatus::Open)?;
    Some(due.max(activity.created_at))
}

/// The events of an activity that has just become overdue: one about each of its records, and one about none. An activity that
/// has ended, or is never due, has none.
pub fn overdue(activity: &RecordActivity) -> Vec<Event> {
    let (Some(since), Some(due)) = (since(activity), activity.due) else { return Vec::new() };
    let id = |record: Option<&Subject>| ids::overdue_event_id((&activity.id, due), record, None);
    of_activity::events(EventType::ActivityOverdue, activity, since, id)
}

/// The event of a trigger that fires later, for a record or for none.
pub fn long_overdue(
    activity: &RecordActivity,
    record: Option<&Subject>,
    (workflow, trigger): (&str, &str),
    at: Timestamp,
) -> Event {
    let id = ids::overdue_event_id((&activity.id, at), record, Some((workflow, trigger)));
    let event = of_activity::event(EventType::ActivityOverdue, activity, at, (id, record));
    Event { workflow: Some(workflow.to_owned()), trigger: Some(trigger.to_owned()), ..event }
}
