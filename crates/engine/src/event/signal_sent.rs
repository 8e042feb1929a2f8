//! A signal was sent: `signal`, `key`, `payload`, `number`. It starts nothing; one execution that waits for it receives it.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::{Event, SentSignal};

/// `signal_sent`.
pub(super) struct SignalSent;

impl EventKind for SignalSent {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "signal_sent", is_addressed: false, is_by_hand: false, tells_changes: false, is_kept: true }
    }

    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        SentSignal::of(event).map(|signal| signal.topic()).into_iter().collect()
    }
}
