//! What happened.

use std::sync::OnceLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Subject, ids};

/// One workflow that led to another: who ran, and on which record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Workflow.
    pub workflow: String,
    /// Execution.
    pub execution: String,
    /// Record it ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Subject>,
}

/// The chain of executions that led to an event, oldest first. Its length is the depth that limits bound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cause {
    /// The links.
    pub chain: Vec<Link>,
}

impl Cause {
    /// Whether nothing led to it but the outside.
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// This chain, one link longer.
    #[must_use]
    pub fn then(&self, link: Link) -> Self {
        let mut chain = self.chain.clone();
        chain.push(link);
        Self { chain }
    }
}

/// A record that the event creates if it is not there yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Creation {
    /// Values of its fields.
    pub fields: Map<String, Value>,
}

/// The kinds of events. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A person, the API or another workflow starts a workflow.
    Manual,
    /// A delivery on a webhook.
    Webhook,
    /// A record is created.
    RecordCreated,
    /// Fields of a record changed.
    FieldUpdated,
    /// An execution of a state machine ended.
    StateMachineEnded,
    /// Somebody who has its token ends the wait of a step.
    CalledBack,
}

impl EventType {
    /// As it is stored and as expressions see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Webhook => "webhook",
            Self::RecordCreated => "record_created",
            Self::FieldUpdated => "field_updated",
            Self::StateMachineEnded => "state_machine_ended",
            Self::CalledBack => "called_back",
        }
    }
}

/// Something that happened. Executions keep the event that started them as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique id; the same delivery twice has the same id.
    pub id: String,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The workflow that it is addressed to, if it is addressed (`manual`, `webhook`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The trigger that it is addressed to (`webhook`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The record that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What expressions see as `trigger.<name>`: `body`, `query`, `headers`, `values`, `changes`…
    pub data: Map<String, Value>,
    /// Creates its subject first if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
    /// The executions that led to it.
    #[serde(default)]
    pub cause: Cause,
}

impl Event {
    /// What expressions see as `trigger`.
    pub fn view(&self) -> Value {
        let mut view = self.data.clone();
        view.insert("type".into(), json!(self.kind));
        view.insert("id".into(), self.id.clone().into());
        view.insert("occurred_at".into(), self.occurred_at.to_string().into());
        Value::Object(view)
    }

    /// The topic on which workflows listen for it; none if it is addressed to one.
    pub fn workflow_topic(&self) -> Option<String> {
        let subject = self.subject.as_ref().filter(|_| self.workflow.is_none());
        subject.map(|subject| ids::object_topic(&subject.object))
    }

    /// The fields that it changed, if it wakes only those who wait for one of them.
    pub fn changed_fields(&self) -> Option<Vec<&str>> {
        let changes = self.data.get("changes").filter(|_| self.kind == EventType::FieldUpdated)?.as_object()?;
        Some(changes.keys().map(String::as_str).collect())
    }

    /// The topic on which waiting steps listen for it.
    pub fn goal_topic(&self) -> Option<String> {
        let text = |key: &str| self.data.get(key).and_then(Value::as_str);
        match (self.kind, &self.workflow, &self.trigger, &self.subject) {
            (EventType::Webhook, Some(workflow), Some(trigger), _) => Some(ids::webhook_topic(workflow, trigger)),
            (EventType::RecordCreated | EventType::FieldUpdated, _, _, Some(subject)) => Some(subject.topic()),
            (EventType::StateMachineEnded, ..) => text("execution_arn").map(ids::state_machine_topic),
            (EventType::CalledBack, ..) => text("topic").map(str::to_owned),
            _ => None,
        }
    }
}

/// What a step listens on that waits for changes of one field: `<field>|record/<object>/<id>`. A change wakes those who
/// wait for any change of its record, and those who wait for a field that it changed.
pub fn waiting_on(topic: &str, field: &str) -> String {
    format!("{field}|{topic}")
}

/// An event with what expressions see of it, worked out at the first look and kept.
#[derive(Debug)]
pub struct Occurrence {
    /// The event.
    pub event: Event,
    view: OnceLock<Value>,
}

impl Occurrence {
    /// Of an event.
    pub fn new(event: Event) -> Self {
        Self { event, view: OnceLock::new() }
    }

    /// What expressions see as `trigger`.
    pub fn view(&self) -> &Value {
        self.view.get_or_init(|| self.event.view())
    }
}
