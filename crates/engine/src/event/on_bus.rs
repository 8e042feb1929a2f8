//! Something outside of Pawl happened: `event` is the envelope in which the bus or the API told it.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::ids;

/// `event`.
pub(super) struct Event;

impl EventKind for Event {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "event", is_addressed: false, is_by_hand: false, tells_changes: false, is_kept: false }
    }

    fn workflow_topics(&self, event: &crate::Event) -> BTreeSet<String> {
        let source = event.data.get("event").and_then(|envelope| envelope.get("source")?.as_str());
        source.map(|source| ids::bus_topic(Some(source))).into_iter().chain([ids::bus_topic(None)]).collect()
    }

    fn waiter_topics(&self, event: &crate::Event) -> BTreeSet<String> {
        self.workflow_topics(event)
    }
}
