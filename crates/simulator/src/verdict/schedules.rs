//! What must hold of schedules at rest: no firing is due, and none waits for an execution that has ended.

use jiff::Timestamp;

use crate::monitor::{Broken, Monitor};

/// Checks them.
pub(super) fn check(monitor: &Monitor, now: Timestamp, broken: &mut Vec<Broken>) {
    for schedule in monitor.schedules.all() {
        let name = format!("{}/{}", schedule.workflow, schedule.trigger);
        if schedule.next.is_some_and(|next| next <= now) || !schedule.due.is_empty() {
            broken.push((3, format!("{name}: a firing is due, and nothing carries it out")));
        }
        let is_open = |execution: &String| monitor.heads.get(execution).is_some_and(|head| !head.status.is_ended());
        if schedule.queued.is_some() && !schedule.last.as_ref().is_some_and(is_open) {
            broken.push((3, format!("{name}: a firing waits, and nothing runs that it waits for")));
        }
    }
}
