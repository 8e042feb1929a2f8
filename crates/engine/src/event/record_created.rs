//! A record is created, or comes back from the archive: `changes` has all its fields, and `unarchived` tells which.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::Event;

/// `record_created`.
pub(super) struct RecordCreated;

impl EventKind for RecordCreated {
    fn facts(&self) -> EventFacts {
        EventFacts {
            word: "record_created",
            is_addressed: false,
            is_by_hand: false,
            tells_changes: false,
            is_kept: false,
        }
    }

    fn workflow_topics(&self, event: &Event) -> BTreeSet<String> {
        event.topics_of_object()
    }

    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        event.topics_of_record()
    }
}
