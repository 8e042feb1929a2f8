//! What must hold of dates at rest: no entry is due, and each date whose time has come came to something.

use jiff::Timestamp;

use crate::monitor::{Broken, Monitor};

/// Checks them.
pub(super) fn check(monitor: &Monitor, now: Timestamp, broken: &mut Vec<Broken>) {
    for entry in monitor.dates.entries().filter(|entry| entry.at <= now) {
        let name = format!("{}/{}", entry.workflow, entry.trigger);
        broken.push((3, format!("{name}: is due for {} since {}, and nothing carries it out", entry.of, entry.at)));
    }
    for workflow in monitor.workflows.keys() {
        let lost = monitor.dates.records().filter_map(|(record, _)| monitor.lost_date(workflow, record, now));
        broken.extend(lost.map(|why| (2, why)));
    }
}
