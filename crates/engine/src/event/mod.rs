//! What happened. One file for each kind of events, and one line in the registry below.

mod activity_logged;
mod activity_overdue;
mod called_back;
mod date;
mod email;
mod field_updated;
mod interaction;
mod manual;
mod of_activity;
mod on_bus;
mod record_archived;
mod record_created;
mod schedule;
mod signal_sent;
mod state_machine_ended;
mod webhook;
mod workflow_ended;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{ForkStart, Parent, RegionStart, Subject, ids};

pub use activity_logged::logged;
pub use activity_overdue::{long_overdue, overdue};
pub use email::{Bounce, MailEvent};
pub use interaction::PostedInteraction;
pub use workflow_ended::{end_topics, ended};

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

/// The registry: each kind by its file, with what it stands for.
macro_rules! registry {
    ($($file:ident: $kind:ident, $what:literal;)*) => {
        /// The kinds of events. Stored, do not rename.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventType {
            $(#[doc = $what] $kind,)*
        }

        impl EventType {
            fn kind(self) -> &'static dyn EventKind {
                match self {
                    $(Self::$kind => &$file::$kind,)*
                }
            }
        }
    };
}

registry! {
    manual: Manual, "A person, the API or another workflow starts a workflow.";
    webhook: Webhook, "A delivery on a webhook.";
    record_created: RecordCreated, "A record is created.";
    field_updated: FieldUpdated, "Fields of a record changed.";
    record_archived: RecordArchived, "A record is put into the archive.";
    schedule: Schedule, "A schedule fires.";
    date: Date, "The time around a date of a record comes.";
    state_machine_ended: StateMachineEnded, "An execution of a state machine ended.";
    called_back: CalledBack, "Somebody who has its token ends the wait of a step.";
    signal_sent: SignalSent, "A signal with a name and a key was sent.";
    on_bus: Event, "Something outside happened: an event bus or the API told it.";
    workflow_ended: WorkflowEnded, "An execution of a workflow ended.";
    activity_logged: ActivityLogged, "An activity about records is logged.";
    activity_overdue: ActivityOverdue, "An activity about records is overdue.";
    interaction: Interaction, "A page view or another interaction of a person is posted.";
    email: Email, "A message that was sent is delivered, opened, clicked, or comes back.";
}

/// What is to be known of all events of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct EventFacts {
    /// As it is stored and as expressions see it.
    pub word: &'static str,
    /// Each names the workflow that it is for, so that it need not be found.
    pub is_addressed: bool,
    /// A person or a program asks for an execution: it is no trigger that fires, and what holds triggers back does not hold
    /// it back.
    pub is_by_hand: bool,
    /// Its `changes` are all that changed: it wakes only those who wait for one of these fields, or for any.
    pub tells_changes: bool,
    /// One execution receives it, and until then it is kept: see [`crate::signal`].
    pub is_kept: bool,
}

/// What every kind of events says of itself.
trait EventKind {
    /// What is true of all its events.
    fn facts(&self) -> EventFacts;

    /// The topics on which workflows listen for an event.
    fn workflow_topics(&self, _event: &Event) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// The topics on which waiting steps listen for an event.
    fn waiter_topics(&self, _event: &Event) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// The word under which keys of its senders are claimed, if they are apart from those of other events. Stored, do not
    /// rename.
    fn key_space(&self) -> Option<&'static str> {
        None
    }
}

impl EventType {
    /// What is true of all events of this kind.
    pub fn facts(self) -> EventFacts {
        self.kind().facts()
    }

    /// The word under which keys of its senders are claimed, if they are apart from those of other events.
    pub fn key_space(self) -> Option<&'static str> {
        self.kind().key_space()
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
    /// The workflow that it is addressed to, if it is addressed (`manual`, `webhook`, `schedule`, `date`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The trigger that it is addressed to (`webhook`, `schedule`, `date`).
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
    /// The execution whose step asks for this start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The part of the workflow that it starts, in place of all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Box<RegionStart>>,
    /// The execution that it begins anew, or from a step on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<Box<ForkStart>>,
    /// The execution that it starts stops before each step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub debug: bool,
}

impl Event {
    /// What expressions see as `trigger`: in a part of a workflow, the event that began the whole, and in a fork that of the
    /// original.
    pub fn view(&self) -> Value {
        let mut view = self.data.clone();
        view.insert("type".into(), json!(self.kind));
        view.insert("id".into(), self.whole().into());
        view.insert("occurred_at".into(), self.occurred_at.to_string().into());
        Value::Object(view)
    }

    /// Its id; of one that starts a part of a workflow, the id of the event that began the whole, and of one that starts a fork
    /// the id of the event that began the original.
    pub(crate) fn whole(&self) -> &str {
        let of_part = self.region.as_ref().map(|start| &start.event);
        of_part.or_else(|| self.fork.as_ref().map(|start| &start.event)).unwrap_or(&self.id)
    }

    /// Its id, if it starts a fork; of one that starts a part of a fork, the id of the event that began the fork.
    pub(crate) fn of_fork(&self) -> Option<String> {
        match &self.region {
            Some(start) => start.of_fork.clone(),
            None => self.fork.as_ref().map(|_| self.id.clone()),
        }
    }

    /// The topics on which workflows listen for it; none if it is addressed to one.
    pub fn workflow_topics(&self) -> BTreeSet<String> {
        self.kind.kind().workflow_topics(self)
    }

    /// The topics on which waiting steps listen for it. A fork is no news for them: what its event tells happened before.
    pub fn waiter_topics(&self) -> BTreeSet<String> {
        if self.fork.is_some() {
            return BTreeSet::new();
        }
        self.kind.kind().waiter_topics(self)
    }

    /// The fields that it changed, if it wakes only those who wait for one of them.
    pub fn changed_fields(&self) -> Option<Vec<&str>> {
        let changes = self.data.get("changes").filter(|_| self.kind.facts().tells_changes)?.as_object()?;
        Some(changes.keys().map(String::as_str).collect())
    }

    /// Whether it is one of the bus that names no workflow: a workflow that listens fills it first.
    pub fn is_unfilled(&self) -> bool {
        self.kind == EventType::Event && self.workflow.is_none()
    }

    /// Whether it starts no workflow, although workflows listen for its kind: its record is in the archive. Steps that wait
    /// for changes of the record are still told.
    pub fn starts_nothing(&self) -> bool {
        self.kind == EventType::FieldUpdated && self.data.get("archived") == Some(&Value::Bool(true))
    }

    /// The topic of all records of its subject's object.
    fn topics_of_object(&self) -> BTreeSet<String> {
        self.subject.iter().map(|subject| ids::object_topic(&subject.object)).collect()
    }

    /// The topic of its subject.
    fn topics_of_record(&self) -> BTreeSet<String> {
        self.subject.iter().map(Subject::topic).collect()
    }

    /// A text of its data.
    fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key)?.as_str()
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
