//! What must hold of activities at rest: the log of each came to an execution or a refusal of every workflow that listened, and its
//! rows lead to it.

use jiff::Timestamp;
use pawl_engine::{ActivityStatus, Event, ids, logged};

use crate::monitor::{Broken, Monitor};
use crate::script::LOGGED;

/// Checks them.
pub(super) fn check(monitor: &Monitor, broken: &mut Vec<Broken>) {
    monitor.activities.check(broken);
    for activity in monitor.activities.all().filter(|activity| activity.status == ActivityStatus::Logged) {
        for event in logged(activity) {
            let owed = monitor.workflows.keys().filter(|workflow| listened(monitor, workflow, &event));
            let lost = owed.filter(|workflow| !has_come(monitor, workflow, &event));
            let told = |workflow| format!("{workflow}: the activity {} was logged, and came to nothing", activity.id);
            broken.extend(lost.map(|workflow| (2, told(workflow))));
        }
    }
}

/// Whether a workflow listened for the log of an activity from before it until now.
fn listened(monitor: &Monitor, workflow: &str, event: &Event) -> bool {
    let head = &monitor.workflows[workflow];
    let definition = monitor.definition(workflow, head.revision);
    let is_of_object = event.subject.as_ref().map(|subject| &subject.object) == definition.object.as_ref();
    let is_earlier = |since: Timestamp| since < event.occurred_at;
    let has_listened = head.active && is_earlier(head.saved_at) && head.active_since.is_none_or(is_earlier);
    has_listened && is_of_object && definition.triggers.iter().any(|trigger| trigger.id == LOGGED)
}

/// Whether an event came to an execution, a refusal, or a window of events.
fn has_come(monitor: &Monitor, workflow: &str, event: &Event) -> bool {
    let is_refused = monitor.refusals.iter().any(|(refused, _)| *refused == event.id);
    let is_collected = monitor.debounced.contains_key(&(event.id.clone(), workflow.to_owned()));
    monitor.has_begun(&ids::execution_id(&event.id, workflow)) || is_refused || is_collected
}
