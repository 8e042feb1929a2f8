//! The time around a date of a record comes: the event names the workflow, the trigger and the record.

use super::{EventFacts, EventKind};

/// `date`.
pub(super) struct Date;

impl EventKind for Date {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "date", is_addressed: true, is_by_hand: false, tells_changes: false, is_kept: false }
    }
}
