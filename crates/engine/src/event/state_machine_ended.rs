//! An execution of a state machine ended: `execution_arn`, `status`, `output`, `error`, `cause`. It starts nothing.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::{Event, ids};

/// `state_machine_ended`.
pub(super) struct StateMachineEnded;

impl EventKind for StateMachineEnded {
    fn facts(&self) -> EventFacts {
        EventFacts {
            word: "state_machine_ended",
            is_addressed: false,
            is_by_hand: false,
            tells_changes: false,
            is_kept: false,
        }
    }

    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        event.text("execution_arn").map(ids::state_machine_topic).into_iter().collect()
    }
}
