//! A record is put into the archive: `changes` has `archived_at`, and the fields that changed with it.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::Event;

/// `record_archived`.
pub(super) struct RecordArchived;

impl EventKind for RecordArchived {
    fn facts(&self) -> EventFacts {
        EventFacts {
            word: "record_archived",
            is_addressed: false,
            is_by_hand: false,
            tells_changes: true,
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
