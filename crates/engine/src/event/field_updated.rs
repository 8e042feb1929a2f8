//! Fields of a record changed: `changes` has `{from, to}` by field.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::Event;

/// `field_updated`.
pub(super) struct FieldUpdated;

impl EventKind for FieldUpdated {
    fn facts(&self) -> EventFacts {
        EventFacts {
            word: "field_updated",
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
