//! What must hold of ends at rest: each came to an execution or a refusal of every workflow that listened for it.

use pawl_engine::ids;

use crate::monitor::{Broken, Monitor};

/// Checks them.
pub(super) fn check(monitor: &Monitor, broken: &mut Vec<Broken>) {
    for (event, workflow, at) in &monitor.ends.owed {
        let execution = ids::execution_id(event, workflow);
        let is_refused = monitor.refusals.iter().any(|(refused, _)| refused == event);
        let is_collected = monitor.debounced.contains_key(&(event.clone(), workflow.clone()));
        // What listens no more when the event is evaluated is not started.
        let has_changed = monitor
            .workflows
            .get(workflow)
            .is_none_or(|head| !head.active || head.saved_at >= *at || head.active_since >= Some(*at));
        // What came of it, and its head with the mark, may both be lost with the power if the head has expired since.
        let is_expired = monitor.ends.by_event.get(event).is_some_and(|by| monitor.expired.contains(by));
        if !(monitor.has_begun(&execution) || is_refused || is_collected || has_changed || is_expired) {
            broken.push((2, format!("an execution ended at {at}, and {workflow}, which listens for it, was not told")));
        }
    }
}
