//! What must hold of activities at rest: each that was logged came to something in every workflow that listened, and each is
//! found by its rows.

use pawl_engine::{ActivityStatus, Event, RecordActivity, ids, logged};

use crate::monitor::{Broken, Monitor};
use crate::script::LOGGED;

/// Checks them.
pub(super) fn check(monitor: &Monitor, broken: &mut Vec<Broken>) {
    monitor.activities.check(broken);
    for activity in monitor.activities.all().filter(|activity| activity.status == ActivityStatus::Logged) {
        for (workflow, head) in monitor.workflows.iter().filter(|(_, head)| head.active) {
            let listens =
                |definition: &pawl_definition::Workflow| definition.triggers.iter().any(|trigger| trigger.id == LOGGED);
            let since = head.active_since.map_or(head.saved_at, |since| since.max(head.saved_at));
            let definition = monitor.definition(workflow, head.revision);
            if !listens(&definition) || activity.ended_at.is_none_or(|at| at < since) {
                continue;
            }
            let object = definition.object.as_deref();
            let fits = |event: &Event| event.subject.as_ref().map(|subject| subject.object.as_str()) == object;
            let lost = logged(activity).into_iter().filter(fits).filter(|event| !came(monitor, workflow, event));
            broken.extend(lost.map(|event| (2, told(workflow, activity, &event))));
        }
    }
}

/// Whether an event came to an execution or a refusal, also if it was given up.
fn came(monitor: &Monitor, workflow: &str, event: &Event) -> bool {
    let is_refused = |(refused, _): &(String, String)| *refused == event.id;
    monitor.has_begun(&ids::execution_id(&event.id, workflow))
        || monitor.refusals.iter().any(is_refused)
        || monitor.debounced.contains_key(&(event.id.clone(), workflow.to_owned()))
}

fn told(workflow: &str, activity: &RecordActivity, event: &Event) -> String {
    format!("{workflow}: the activity {} was logged at {}, and came to nothing", activity.id, event.occurred_at)
}
