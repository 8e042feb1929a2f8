//! What happens in a story: starts, deliveries, changes of records.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use pawl_engine::{Cause, Event, EventType, Subject};
use pawl_runtime::{Identity, NewInteraction, NewSignal, SendError, Sent, SignalState};
use serde_json::{Map, Value, json};

use super::{World, at_once, delivery};

/// The code of a signal that its waiter refuses.
const REFUSED: &str = "signal_refused";

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A person or system starts a workflow.
    Manual(Manual),
    /// A delivery comes on a webhook.
    Delivered(Delivered),
    /// A record is created.
    Created {
        /// Object.
        object: String,
        /// Id, or a fresh one.
        id: Option<String>,
        /// Fields.
        fields: Map<String, Value>,
    },
    /// Fields of a record are changed.
    Updated {
        /// Record.
        record: Subject,
        /// Fields; null empties one.
        fields: Map<String, Value>,
    },
    /// A record is put into the archive, or taken out.
    Archived {
        /// Record.
        record: Subject,
        /// It is put into the archive.
        is_archived: bool,
    },
    /// An event comes in as it is.
    Event(Event),
    /// The event bus says something, as EventBridge delivers it.
    Bus(Value),
    /// An interaction of a person is posted.
    Interaction(NewInteraction),
    /// A signal is sent.
    Signal(SignalSent),
}

/// Why something could not happen: what the caller of the API would be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HappeningError {
    /// Stable code.
    pub code: String,
    /// In words.
    pub message: String,
}

impl HappeningError {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// A person or system starts a workflow: `manual("w").on("ticket", "t1").values(…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Manual {
    pub(crate) workflow: String,
    pub(crate) record: Option<Subject>,
    pub(crate) values: Map<String, Value>,
    pub(crate) debug: bool,
}

/// A delivery on a webhook: `webhook("w", "github").body(…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    pub(crate) workflow: String,
    pub(crate) trigger: String,
    pub(crate) method: String,
    pub(crate) body: Value,
    pub(crate) raw: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
}

/// A signal is sent: `signal("paid", "R-1").payload(…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalSent {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) payload: Value,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) before: SignedDuration,
}

/// A signal is sent, without a payload.
pub fn signal(name: &str, key: &str) -> SignalSent {
    SignalSent {
        name: name.to_owned(),
        key: key.to_owned(),
        payload: Value::Null,
        idempotency_key: None,
        before: SignedDuration::ZERO,
    }
}

/// A person or system starts a workflow.
pub fn manual(workflow: &str) -> Manual {
    Manual { workflow: workflow.to_owned(), record: None, values: Map::new(), debug: false }
}

/// A delivery comes on a webhook.
pub fn webhook(workflow: &str, trigger: &str) -> Delivered {
    let (headers, query) = (BTreeMap::new(), BTreeMap::new());
    Delivered {
        workflow: workflow.to_owned(),
        trigger: trigger.to_owned(),
        method: "POST".to_owned(),
        body: Value::Null,
        raw: None,
        headers,
        query,
    }
}

/// A record is created; `fields` is a JSON object.
pub fn created(object: &str, id: &str, fields: Value) -> Happening {
    Happening::Created { object: object.to_owned(), id: Some(id.to_owned()), fields: keys(fields) }
}

/// Fields of a record are changed; `fields` is a JSON object.
pub fn updated(object: &str, id: &str, fields: Value) -> Happening {
    Happening::Updated { record: subject(object, id), fields: keys(fields) }
}

/// A record is put into the archive.
pub fn archived(object: &str, id: &str) -> Happening {
    Happening::Archived { record: subject(object, id), is_archived: true }
}

/// A record is taken out of the archive.
pub fn unarchived(object: &str, id: &str) -> Happening {
    Happening::Archived { record: subject(object, id), is_archived: false }
}

/// The event bus says something; the event has the shape in which EventBridge delivers it.
pub fn bus_says(event: Value) -> Happening {
    Happening::Bus(event)
}

pub(super) fn keys(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(fields) => fields,
        other => panic!("expected an object of fields, found {other}"),
    }
}

fn subject(object: &str, id: &str) -> Subject {
    Subject { object: object.to_owned(), id: id.to_owned() }
}

impl Manual {
    /// Its execution stops before each step.
    #[must_use]
    pub fn debug(self) -> Self {
        Self { debug: true, ..self }
    }

    /// On this record.
    #[must_use]
    pub fn on(mut self, object: &str, id: &str) -> Self {
        self.record = Some(subject(object, id));
        self
    }

    /// With values of variables; a JSON object.
    #[must_use]
    pub fn values(mut self, values: Value) -> Self {
        self.values = keys(values);
        self
    }
}

impl Delivered {
    /// With this body: sent as JSON, or as it is if it is a text and a header `content-type` says so.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = body;
        self.raw = None;
        self
    }

    /// With this text as body, to the byte.
    #[must_use]
    pub fn raw(mut self, body: &str) -> Self {
        self.raw = Some(body.to_owned());
        self
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// With a query parameter more.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Under this idempotency key: a repeat is answered as the first was.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// By another method than POST.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = method.to_uppercase();
        self
    }
}

impl SignalSent {
    /// With this payload.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    /// Under this idempotency key: a repeat sends nothing.
    #[must_use]
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    /// So long before the present time.
    #[must_use]
    pub fn before(mut self, span: SignedDuration) -> Self {
        self.before = span;
        self
    }
}

impl From<SignalSent> for Happening {
    fn from(signal: SignalSent) -> Self {
        Self::Signal(signal)
    }
}

impl From<Manual> for Happening {
    fn from(manual: Manual) -> Self {
        Self::Manual(manual)
    }
}

impl From<Delivered> for Happening {
    fn from(delivered: Delivered) -> Self {
        Self::Delivered(delivered)
    }
}

impl From<Event> for Happening {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl World {
    /// Lets something happen; what follows from it is left to the next run.
    pub fn happen(&self, happening: Happening) -> Result<(), HappeningError> {
        let system = &self.system;
        match happening {
            Happening::Manual(manual) => self.accept(start(self, manual)),
            Happening::Delivered(delivered) => delivery::deliver(self, &delivered),
            Happening::Created { object, id, fields } => {
                record(at_once(system.records.create(&object, id, fields, "api")))
            }
            Happening::Updated { record: subject, fields } => {
                record(at_once(system.records.update(&subject, &fields, None, "api")))
            }
            Happening::Archived { record: subject, is_archived } => {
                record(at_once(system.records.archive(&subject, is_archived, "api")))
            }
            Happening::Event(event) => self.accept(event),
            Happening::Interaction(posted) => self.post_interaction(posted).map(drop),
            Happening::Signal(signal) => match self.send_signal(&signal) {
                // The refusal is stored, and the story goes on.
                Err(error) if error.code == REFUSED => Ok(()),
                sent => sent.map(|_| ()),
            },
            Happening::Bus(said) => pawl_runtime::bus::all(&said).into_iter().try_for_each(|read| match read {
                Ok(events) => events.into_iter().try_for_each(|event| self.accept(event)),
                Err(error) => Err(HappeningError::new("failed", error.to_string())),
            }),
        }
    }

    /// Sends a signal, and says what is known of it then.
    pub fn send_signal(&self, signal: &SignalSent) -> Result<Sent, HappeningError> {
        let SignalSent { name, key, payload, idempotency_key, before } = signal.clone();
        let signals = &self.system.signals;
        let id = signals.id(&name, idempotency_key.as_deref());
        let sent = at_once(signals.send(&NewSignal { id, name, key, payload, sent_at: self.now() - before }));
        let sent = sent.map_err(|error| HappeningError::new(word(&error), error.to_string()))?;
        match &sent.state {
            SignalState::Refused { why, .. } => Err(HappeningError::new(REFUSED, why.clone())),
            SignalState::Kept | SignalState::Received { .. } => Ok(sent),
        }
    }

    fn accept(&self, event: Event) -> Result<(), HappeningError> {
        let accepted = at_once(self.system.ingest.accept(event, &Identity::default()));
        accepted.map(|_| ()).map_err(|error| HappeningError::new("failed", error.to_string()))
    }
}

/// The code that the API answers.
fn word(error: &SendError) -> &'static str {
    match error {
        SendError::TooMany(..) => "too_many_signals",
        SendError::TooLarge(_) => "signal_too_large",
        SendError::OtherContent => "idempotency_key_reused",
        SendError::Failed(_) => "failed",
    }
}

fn record<T>(result: Result<T, pawl_runtime::RecordError>) -> Result<(), HappeningError> {
    result.map(|_| ()).map_err(|error| HappeningError::new("record_refused", error.to_string()))
}

/// The event by which a person or system starts a workflow now.
pub(crate) fn start(world: &World, manual: Manual) -> Event {
    let mut data = Map::new();
    data.insert("values".to_owned(), json!(manual.values));
    Event {
        id: world.system.ingest.fresh_id(),
        kind: EventType::Manual,
        workflow: Some(manual.workflow),
        trigger: None,
        subject: manual.record,
        occurred_at: world.now(),
        data,
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: manual.debug,
    }
}
