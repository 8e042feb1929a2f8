//! A person views a page, clicks, or does something else outside of Pawl, and a system posts it: the event has it as `interaction`, and
//! is about the record of that person.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{EventFacts, EventKind, EventType};
use crate::{Cause, Event, Subject, ids};

/// `interaction`.
pub(super) struct Interaction;

impl EventKind for Interaction {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "interaction", is_addressed: false, is_by_hand: false, tells_changes: false, is_kept: false }
    }

    fn workflow_topics(&self, event: &Event) -> BTreeSet<String> {
        event.subject.iter().map(|record| ids::interaction_topic(&record.object)).collect()
    }

    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        let on_record = |record: &Subject| ids::topic_on_record(&ids::interaction_topic(&record.object), record);
        event.subject.iter().map(on_record).collect()
    }

    fn key_space(&self) -> Option<&'static str> {
        Some("interactions")
    }
}

/// An interaction that is posted.
#[derive(Debug, Clone, PartialEq)]
pub struct PostedInteraction {
    /// Id that its sender gave it, if there is one.
    pub id: Option<String>,
    /// What the person did.
    pub kind: String,
    /// Address of the page.
    pub url: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What else is said of it.
    pub data: Map<String, Value>,
}

impl PostedInteraction {
    /// Its event about a record. It happens now for those who listen, although the sender may tell of it late.
    pub fn event(self, record: Subject, now: Timestamp, fresh_id: impl FnOnce() -> String) -> Event {
        let Self { id, kind, url, at, data } = self;
        let event_id = id.as_deref().map_or_else(fresh_id, ids::interaction_event_id);
        let id = id.unwrap_or_else(|| event_id.clone());
        let interaction = json!({"id": id, "kind": kind, "url": url, "at": at.to_string(), "data": data});
        Event {
            id: event_id,
            kind: EventType::Interaction,
            workflow: None,
            trigger: None,
            subject: Some(record),
            occurred_at: now,
            data: Map::from_iter([("interaction".to_owned(), interaction)]),
            creation: None,
            cause: Cause::default(),
            parent: None,
            region: None,
            fork: None,
            debug: false,
        }
    }
}
