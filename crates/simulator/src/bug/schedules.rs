//! Mistakes about schedules.

use jiff::SignedDuration;
use pawl_runtime::items::schedule as stored;
use pawl_runtime::ports::Item;

/// The next firing is planned, and the one that is due is not written down.
pub(super) fn without_due(item: &mut Item) {
    if let Some(mut schedule) = schedule(item) {
        schedule.due.clear();
        *item = stored::item(&schedule, item.version);
    }
}

/// A firing is written down twice, with two planned times.
pub(super) fn twice(item: &mut Item) {
    if let Some(mut schedule) = schedule(item)
        && let Some(mut again) = schedule.due.first().cloned()
        && again.at.subsec_nanosecond() == 0
    {
        again.at += SignedDuration::from_millis(1);
        schedule.due.push(again);
        *item = stored::item(&schedule, item.version);
    }
}

fn schedule(item: &Item) -> Option<stored::Schedule> {
    stored::names(&item.key.partition).and_then(|_| stored::parse(item).ok())
}
