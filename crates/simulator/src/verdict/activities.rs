//! What must hold of activities at rest: each that was logged, and each that is overdue, came to an execution or a refusal of every
//! workflow that listened. An activity that ended in time is never overdue. Rows lead to their activities.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Workflow;
use pawl_engine::{ActivityStatus, Event, RecordActivity, Subject, ids, logged, long_overdue, overdue};

use crate::monitor::{Broken, Monitor};
use crate::script::{LOGGED, OVERDUE};

/// How long the end of an activity may be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(10);

/// Checks them.
pub(super) fn check(monitor: &Monitor, now: Timestamp, broken: &mut Vec<Broken>) {
    monitor.activities.check(broken);
    for at in monitor.activities.waiting().filter(|at| *at <= now) {
        broken.push((3, format!("an activity is due since {at}, and nobody is told")));
    }
    for activity in monitor.activities.all() {
        for workflow in monitor.workflows.keys() {
            let definition = monitor.definition(workflow, monitor.workflows[workflow].revision);
            let record = activity.records.iter().find(|record| Some(&record.object) == definition.object.as_ref());
            if definition.object.is_some() != record.is_some() {
                continue;
            }
            let what = match activity.status {
                ActivityStatus::Logged => lost_log(monitor, (&definition, record), activity),
                ActivityStatus::Open => lost_due(monitor, (&definition, record), activity, now),
                ActivityStatus::Canceled => None,
            };
            broken.extend(what.map(|what| (2, format!("{workflow}: the activity {} {what}", activity.id))));
            if was_late(monitor, (&definition, record), activity) {
                broken.push((4, format!("{workflow}: the activity {} ended in time, and was overdue", activity.id)));
            }
        }
    }
}

/// Whether the log of an activity came to nothing.
fn lost_log(
    monitor: &Monitor,
    (definition, record): (&Workflow, Option<&Subject>),
    activity: &RecordActivity,
) -> Option<&'static str> {
    let event = logged(activity).into_iter().find(|event| event.subject.as_ref() == record)?;
    let is_lost = listened(monitor, definition, LOGGED, event.occurred_at) && !has_come(monitor, definition, &event);
    is_lost.then_some("was logged, and came to nothing")
}

/// Whether it came to nothing that an open activity is overdue, or has been for as long as a trigger says.
fn lost_due(
    monitor: &Monitor,
    (definition, record): (&Workflow, Option<&Subject>),
    activity: &RecordActivity,
    now: Timestamp,
) -> Option<&'static str> {
    let due = overdue(activity).into_iter().find(|event| event.subject.as_ref() == record)?;
    let event = late(definition, record, activity).unwrap_or(due.clone());
    let is_given_up = monitor.refusals.iter().any(|(refused, _)| *refused == due.id);
    let is_lost = event.occurred_at <= now
        && listened(monitor, definition, OVERDUE, due.occurred_at)
        && !has_come(monitor, definition, &event);
    (is_lost && !is_given_up).then_some("is overdue, and came to nothing")
}

/// The event of a trigger that fires later than the activity is due.
fn late(definition: &Workflow, record: Option<&Subject>, activity: &RecordActivity) -> Option<Event> {
    let trigger = definition.triggers.iter().find(|trigger| trigger.id == OVERDUE)?;
    let keys = trigger.kind.shape().overdue().filter(|keys| keys.is_delayed())?;
    let zone = definition.timezone.as_deref().and_then(|zone| jiff::tz::TimeZone::get(zone).ok());
    let around = keys.around(&zone.unwrap_or(jiff::tz::TimeZone::UTC));
    let since = activity.due?.max(activity.created_at) - SignedDuration::from_nanos(1);
    let at = around.next_after(&activity.due?.to_string(), since)?.at;
    Some(long_overdue(activity, record, (&definition.id, &trigger.id), at))
}

/// Whether an activity that ended before it was due started a workflow as overdue.
fn was_late(monitor: &Monitor, (definition, record): (&Workflow, Option<&Subject>), activity: &RecordActivity) -> bool {
    let ended_in_time = activity.ended_at.zip(activity.due).is_some_and(|(at, due)| at + UNDER_WAY < due);
    let open = RecordActivity { status: ActivityStatus::Open, ..activity.clone() };
    let event = overdue(&open).into_iter().find(|event| event.subject.as_ref() == record);
    ended_in_time && event.is_some_and(|event| monitor.has_begun(&ids::execution_id(&event.id, &definition.id)))
}

/// Whether a workflow listened with a trigger from before a time until now.
fn listened(monitor: &Monitor, definition: &Workflow, trigger: &str, at: Timestamp) -> bool {
    let head = &monitor.workflows[&definition.id];
    let is_earlier = |since: Timestamp| since < at;
    let has_listened = head.active && is_earlier(head.saved_at) && head.active_since.is_none_or(is_earlier);
    has_listened && definition.triggers.iter().any(|one| one.id == trigger)
}

/// Whether an event came to an execution, a refusal, or a window of events.
fn has_come(monitor: &Monitor, definition: &Workflow, event: &Event) -> bool {
    let is_refused = monitor.refusals.iter().any(|(refused, _)| *refused == event.id);
    let is_collected = monitor.debounced.contains_key(&(event.id.clone(), definition.id.clone()));
    monitor.has_begun(&ids::execution_id(&event.id, &definition.id)) || is_refused || is_collected
}
