//! Somebody who has its token ends the wait of a step: `topic`, `status`, `output`, `error`. It starts nothing.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::Event;

/// `called_back`.
pub(super) struct CalledBack;

impl EventKind for CalledBack {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "called_back", is_addressed: false, is_by_hand: false, tells_changes: false, is_kept: false }
    }

    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        event.text("topic").map(str::to_owned).into_iter().collect()
    }
}
