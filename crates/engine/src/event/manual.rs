//! A person, the API or another workflow starts a workflow: the event names it.

use super::{EventFacts, EventKind};

/// `manual`.
pub(super) struct Manual;

impl EventKind for Manual {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "manual", is_addressed: true, is_by_hand: true, tells_changes: false, is_kept: false }
    }
}
