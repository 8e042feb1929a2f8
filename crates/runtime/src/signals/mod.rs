//! Signals: accepted into a line, and handed to those who wait.
//!
//! A signal is always put into the line of its name and key first, in one transaction with its id. Then it is offered to
//! those who wait, the oldest first. Who begins to wait is written first too, and then has the line looked at. So of a
//! signal and a waiter that come at the same time, one finds the other. See ADR 20.

mod hand_over;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Event, SentSignal, ids, signal as topics};
use serde_json::Value;

use crate::items::signal::{self, Signal, Taken};
use crate::items::signal_line::{self, Line};
use crate::message::EventMessage;
use crate::ports::{
    Clock, Consistency, Durability, Expect, Message, Pages, Query, Queue, QueueName, Random, TableError, Tables,
    Transaction, Write,
};
use crate::{Error, Metrics, Ports, Transitions};

/// Most signals of one name and key that are kept.
pub const KEPT_MOST: u64 = 1_000;

/// Largest payload in bytes of JSON: it stands in one item, and in the row of the step that receives it.
pub const PAYLOAD_MOST: usize = 64 * 1024;

/// How often a lost race for a place in the line is tried again.
const RACES: usize = 32;

/// How long a sender hands over before it leaves the rest to a message: one signal takes milliseconds, but many executions
/// may be offered it in vain.
const OFFERS: SignedDuration = SignedDuration::from_secs(5);

/// A message looks at the line again after this time: its sender may die between the line and the offer.
const LOOK_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Sends signals, and hands them to those who wait.
pub struct Signals {
    transitions: Arc<Transitions>,
    tables: Arc<dyn Tables>,
    events: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metrics: Arc<Metrics>,
}

/// A signal to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSignal {
    /// Its id, by which a repeat is recognised.
    pub id: String,
    /// Name.
    pub name: String,
    /// Key.
    pub key: String,
    /// Payload.
    pub payload: Value,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// What is known of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalState {
    /// Nobody has received it yet.
    Kept,
    /// An execution has received it.
    Received {
        /// The execution.
        execution: String,
    },
    /// The step that waited for it refused it.
    Refused {
        /// The execution.
        execution: String,
        /// Why.
        why: String,
    },
}

/// A signal that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// What became of it by now.
    pub state: SignalState,
    /// It was accepted before.
    pub is_repeat: bool,
}

/// Why a signal was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// As many as may be are kept.
    #[error("{KEPT_MOST} signals {0:?} of the key {1:?} are kept that nobody has received")]
    TooMany(String, String),
    /// The payload is too large.
    #[error("expected a payload of at most {PAYLOAD_MOST} bytes, found {0}")]
    TooLarge(usize),
    /// Its id was used before, for another signal.
    #[error("the id of the signal was used before, for another key or payload")]
    OtherContent,
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Who looks at the line if the sender dies before it has handed its signal over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfSenderDies {
    /// A message that is sent first.
    MessageLooks,
    /// A repeat of the call.
    Repeats,
}

impl From<TableError> for SendError {
    fn from(error: TableError) -> Self {
        Self::Failed(error.into())
    }
}

impl Signals {
    /// Over transitions, and some of these ports.
    pub(crate) fn new(ports: &Ports, transitions: Arc<Transitions>, metrics: Arc<Metrics>) -> Self {
        let Ports { tables, queue, clock, random, .. } = ports.clone();
        Self { transitions, tables, events: queue, clock, random, metrics }
    }

    /// The id of a signal that is sent under an idempotency key; without one, a fresh id.
    pub fn id(&self, name: &str, idempotency_key: Option<&str>) -> String {
        let fresh = || format!("sig_{:032x}", self.random.bits());
        idempotency_key.map_or_else(fresh, |key| ids::sent_signal_id(name, key))
    }

    /// Accepts a signal and hands it to the oldest execution that waits for it. Once it returns, the signal is durable. If the
    /// sender dies before, a message looks at the line again. The message is sent before the signal is stored, and only for one
    /// that is not stored yet and has a place: while a line cannot be read, senders that repeat would multiply the messages.
    #[boxed]
    pub async fn send(&self, new: &NewSignal) -> Result<Sent, SendError> {
        let is_repeat = self.put(new, IfSenderDies::MessageLooks).await?;
        self.handed_over(new, is_repeat).await
    }

    /// The same, where a repeat of the call looks again: no message does.
    #[boxed]
    pub async fn accept(&self, new: &NewSignal) -> Result<Sent, SendError> {
        let is_repeat = self.put(new, IfSenderDies::Repeats).await?;
        self.handed_over(new, is_repeat).await
    }

    /// Hands over a signal that was put into its line.
    async fn handed_over(&self, new: &NewSignal, is_repeat: bool) -> Result<Sent, SendError> {
        self.hand_over(&topic(new), Some(self.clock.now() + OFFERS)).await?;
        let state = self.state(&new.id).await?.unwrap_or(SignalState::Kept);
        Ok(Sent { id: new.id.clone(), state, is_repeat })
    }

    /// Accepts a signal that came as an event, such as one of the bus, whose sender is told nothing: what is not accepted is
    /// dropped, and told in the log.
    pub(crate) async fn accept_event(&self, event: &Event) -> Result<(), Error> {
        let Some(sent) = SentSignal::of(event) else { return Ok(()) };
        let payload = event.data.get("payload").cloned().unwrap_or_default();
        let sent_at = sent.sent_at.min(self.clock.now());
        let new = NewSignal { id: sent.id, name: sent.name, key: sent.key, payload, sent_at };
        match self.accept(&new).await {
            Ok(_) => Ok(()),
            Err(SendError::Failed(error)) => Err(error),
            Err(why) => {
                Metrics::count(&self.metrics.signals_dropped);
                tracing::warn!(event_id = %new.id, "signal {} is dropped: {why}", new.id);
                Ok(())
            }
        }
    }

    /// What is known of a signal; `None` if there is none, or none any more.
    #[boxed]
    pub async fn state(&self, id: &str) -> Result<Option<SignalState>, Error> {
        let keys = [(signal::TABLE, signal::key(id)), (signal::TABLE, signal::taken_key(id))];
        let found = self.tables.get_many(&keys).await?;
        if let Some(item) = &found[1] {
            let Taken { execution, refused, .. } = signal::parse_taken(item)?;
            return Ok(Some(match refused {
                Some(why) => SignalState::Refused { execution, why },
                None => SignalState::Received { execution },
            }));
        }
        Ok(found[0].as_ref().map(|_| SignalState::Kept))
    }

    /// Puts a signal into the line of its name and key, once; whether it was there before.
    async fn put(&self, new: &NewSignal, if_sender_dies: IfSenderDies) -> Result<bool, SendError> {
        let size = new.payload.to_string().len();
        if size > PAYLOAD_MOST {
            return Err(SendError::TooLarge(size));
        }
        let mut lacks_message = if_sender_dies == IfSenderDies::MessageLooks;
        for _ in 0..RACES {
            if let Some(earlier) = self.tables.get(signal::TABLE, &signal::key(&new.id), Consistency::Strong).await? {
                let Signal { name, key, payload, .. } = signal::parse(&earlier).map_err(Error::from)?;
                let is_same = (name, key, payload) == (new.name.clone(), new.key.clone(), new.payload.clone());
                return if is_same { Ok(true) } else { Err(SendError::OtherContent) };
            }
            let placed = self.placed(new).await?;
            if std::mem::take(&mut lacks_message) {
                let message = look(&topic(new), LOOK_AFTER);
                self.events.send(QueueName::Events, vec![message]).await.map_err(Error::from)?;
            }
            match self.tables.transact(placed).await {
                Ok(()) => {
                    Metrics::count(&self.metrics.signals_accepted);
                    return Ok(false);
                }
                Err(TableError::Conflict(_) | TableError::Unknown(_)) => Metrics::count(&self.metrics.races_lost),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended(topic(new)).into())
    }

    /// What puts a signal at the end of its line as the line is now.
    async fn placed(&self, new: &NewSignal) -> Result<Transaction, SendError> {
        let topic = topic(new);
        let head = self.tables.get(signal_line::TABLE, &signal_line::key(&topic), Consistency::Strong).await?;
        let (mut line, version) = match &head {
            Some(item) => (signal_line::parse(item).map_err(Error::from)?, item.version),
            // After the head has expired, numbers go on above all that were given before: an offer of a signal that expires
            // meanwhile must not take the entry of a newer one.
            None => (Line { next: micros(self.clock.now()), room: KEPT_MOST }, 0),
        };
        if line.room == 0 {
            line.room = KEPT_MOST.saturating_sub(self.count(&topic).await?);
        }
        if line.room == 0 {
            Metrics::count(&self.metrics.signals_refused);
            return Err(SendError::TooMany(new.name.clone(), new.key.clone()));
        }
        let NewSignal { id, name, key, payload, sent_at } = new.clone();
        let signal = Signal { name, key, payload, number: line.next, sent_at };
        let after = Line { next: line.next + 1, room: line.room - 1 };
        let expect = if version == 0 { Expect::Absent } else { Expect::Version(version) };
        let put = |table, item, expect| Write::Put { table, item, expect };
        let writes = vec![
            put(signal::TABLE, signal::item(&id, &signal), Expect::Absent),
            put(signal_line::TABLE, signal_line::entry_item(&signal.sent(&id)), Expect::Absent),
            put(signal_line::TABLE, signal_line::item(&topic, version + 1, &after, self.clock.now()), expect),
        ];
        Ok(Transaction { writes, durability: Durability::Durable })
    }

    /// How many signals are kept.
    async fn count(&self, topic: &str) -> Result<u64, TableError> {
        let query = Query::of(signal_line::TABLE, signal_line::partition(topic)).range(signal_line::entries());
        let kept = Pages::of(&*self.tables, query).all().await?;
        Ok(u64::try_from(kept.len()).unwrap_or(u64::MAX))
    }
}

/// A message that looks at a line.
fn look(topic: &str, delay: SignedDuration) -> Message {
    let body = serde_json::to_string(&EventMessage::Signals(topic.to_owned())).expect("a topic is JSON");
    Message { body, delay, group: topic.to_owned() }
}

/// Microseconds since 1970: no line is given as many numbers in that time.
fn micros(at: Timestamp) -> u64 {
    u64::try_from(at.as_microsecond()).unwrap_or_default()
}

fn topic(new: &NewSignal) -> String {
    topics::topic(&new.name, &new.key)
}
