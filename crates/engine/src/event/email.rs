//! A message that was sent is delivered, opened, clicked, or comes back: the event has that as `email`. It comes in without a record;
//! the evaluator then tells each record that has the address, by an event about the record.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_definition::trigger::{BounceKind, MailEventKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Cause, EventFacts, EventKind, EventType};
use crate::{Event, Subject, ids};

/// `email`.
pub(super) struct Email;

impl EventKind for Email {
    fn facts(&self) -> EventFacts {
        EventFacts { word: "email", is_addressed: false, is_by_hand: false, tells_changes: false, is_kept: false }
    }

    fn workflow_topics(&self, event: &Event) -> BTreeSet<String> {
        event.subject.iter().map(|record| ids::email_topic(&record.object)).collect()
    }

    /// A step that waits on a record listens for messages to that record.
    fn waiter_topics(&self, event: &Event) -> BTreeSet<String> {
        let on_record = |record: &Subject| ids::topic_on_record(&ids::email_topic(&record.object), record);
        event.subject.iter().map(on_record).collect()
    }

    fn key_space(&self) -> Option<&'static str> {
        Some(MailEvent::KEYS)
    }
}

/// Why a message could not be delivered. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    /// Whether another attempt may succeed.
    #[serde(rename = "type")]
    pub kind: BounceKind,
    /// What the mail server said.
    pub reason: Option<String>,
}

/// What became of a message that was sent, to one of its recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailEvent {
    /// Id, which tells a repeat.
    pub id: String,
    /// What became of it.
    pub kind: MailEventKind,
    /// The address that it was sent to. In an event it has the form in which addresses are compared.
    pub to: String,
    /// The id of the message.
    pub message_id: String,
    /// Its template, as its sender names it.
    pub template: Option<String>,
    /// The link that was followed.
    pub link: Option<String>,
    /// Why it could not be delivered.
    pub bounce: Option<Bounce>,
    /// When it happened.
    pub at: Timestamp,
}

impl MailEvent {
    /// In place of a workflow and a trigger, for the keys of these events. No trigger has this name. Stored, do not rename.
    pub const KEYS: &str = ":mail";

    /// The event that tells of it, which names no record yet, as of when it was told.
    pub fn event(self, told_at: Timestamp) -> Event {
        let Self { id, kind, to, message_id, template, link, bounce, at } = self;
        let id = ids::mail_event_id(&id, &to);
        let at = at.to_string();
        let email = json!({
            "event": kind, "message_id": message_id, "to": to, "template": template, "link": link, "bounce": bounce, "at": at,
        });
        Event {
            id,
            kind: EventType::Email,
            workflow: None,
            trigger: None,
            subject: None,
            occurred_at: told_at,
            data: Map::from_iter([("email".to_owned(), email)]),
            creation: None,
            cause: Cause::default(),
            parent: None,
            region: None,
            fork: None,
            debug: false,
        }
    }
}

impl Event {
    /// The address of the message that it tells of, as long as it names no record.
    pub fn mail_address(&self) -> Option<&str> {
        self.email("to")?.as_str().filter(|_| self.subject.is_none())
    }

    /// The same event about a record that has the address.
    #[must_use]
    pub fn about(&self, record: &Subject) -> Self {
        let id = ids::mail_to_record_id(&self.id, record);
        Self { id, subject: Some(record.clone()), ..self.clone() }
    }

    /// A value of what it tells of a message.
    pub(crate) fn email(&self, key: &str) -> Option<&Value> {
        self.data.get("email").filter(|_| self.kind == EventType::Email)?.get(key)
    }
}
