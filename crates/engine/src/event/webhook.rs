//! A delivery on a webhook: the event names the workflow and the trigger.

use std::collections::BTreeSet;

use super::{EventFacts, EventKind};
use crate::{Event, ids};

/// `webhook`.
pub(super) struct Webhook;

impl EventKind for Webhook {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "webhook", is_addressed: true, is_by_hand: false, tells_changes: false, is_kept: false }
    }

    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        let topic = event.workflow.iter().zip(&event.trigger);
        topic.map(|(workflow, trigger)| ids::webhook_topic(workflow, trigger)).collect()
    }
}
