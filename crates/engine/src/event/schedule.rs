//! A schedule fires: the event names the workflow and the trigger.

use super::{EventFacts, EventKind};

/// `schedule`.
pub(super) struct Schedule;

impl EventKind for Schedule {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "schedule", is_addressed: true, is_by_hand: false, tells_changes: false, is_kept: false }
    }
}
