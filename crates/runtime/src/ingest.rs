//! Ingest: an event comes in, is made durable, and is answered.

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::SignedDuration;
use pawl_engine::{Event, ids};

use crate::bus::POSTED;
use crate::items::delivery::{self, Delivery};
use crate::items::refusal::Refusal;
use crate::message::EventMessage;
use crate::ports::{
    BlobOwner, Blobs, Clock, Durability, Expect, Message, Queue, QueueName, Random, TableError, Tables, Transaction,
    Write,
};
use crate::rejections::Rejections;
use crate::{Error, Metrics, Ports, offload};

/// Takes events in.
pub struct Ingest {
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) events: Arc<dyn Queue>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) metrics: Arc<Metrics>,
    rejections: Rejections,
}

/// What an accepted delivery is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The event that it became.
    pub event_id: String,
    /// The execution that it starts, if its trigger lets it pass; `None` if it can start none.
    pub execution_id: Option<String>,
    /// What it repeats; then this is the first answer.
    pub repeat: Option<Repeat>,
}

/// What a delivery repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// An earlier delivery, under the same key.
    Same,
    /// The key of an earlier delivery, with something else in it: it is refused.
    OtherContent,
    /// What was signed in an earlier delivery, under another key, which nobody signed.
    OtherKey,
}

/// By what a repeat of a delivery is recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The key that it was sent with; without one each delivery is a new one.
    pub key: Option<String>,
    /// Digest of what was sent, if its sender chose the key for it.
    pub content: Option<String>,
    /// Digest of what was signed, if the signature does not cover the key.
    pub signed: Option<String>,
}

impl Identity {
    /// By a key alone.
    pub fn of(key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..Self::default() }
    }

    /// What the event's id is derived from: what nobody but the sender can make anew.
    pub fn source(&self) -> Option<String> {
        let key = self.key.clone()?;
        Some(self.signed.as_ref().map_or(key, |signed| format!("signed:{signed}")))
    }
}

/// Under what the key of a request that asks for a fork of an execution is claimed, beside the execution. No trigger has this
/// name.
pub const FORK: &str = ":fork";

/// Under what the key of a delivery is claimed: the workflow and the trigger, or the execution that a fork is one of.
fn claimed_for(event: &Event) -> (String, String) {
    if let Some(start) = &event.fork {
        return (start.fork.execution.clone(), FORK.to_owned());
    }
    let unnamed = event.kind.key_space().unwrap_or(POSTED);
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| unnamed.to_owned());
    (named(&event.workflow), named(&event.trigger))
}

impl Ingest {
    /// Over some of these ports.
    pub fn new(ports: &Ports, metrics: Arc<Metrics>) -> Self {
        let Ports { tables, queue, blobs, clock, random, .. } = ports.clone();
        Self { tables, events: queue, blobs, clock, random, metrics, rejections: Rejections::default() }
    }

    /// A fresh event id, ordered by time: 48 bits of milliseconds, then chance.
    pub fn fresh_id(&self) -> String {
        let millis = self.clock.now().as_millisecond();
        format!("evt_{millis:012x}{:020x}", self.random.bits() >> 48)
    }

    /// The present time.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// The answer to an earlier delivery that this one repeats, if there was one.
    #[boxed]
    pub async fn earlier(&self, workflow: &str, trigger: &str, identity: &Identity) -> Result<Option<Accepted>, Error> {
        let key = identity.key.iter().map(|key| delivery::key(workflow, trigger, key));
        let signed = identity.signed.iter().map(|digest| delivery::signed_key(workflow, trigger, digest));
        let keys: Vec<_> = key.chain(signed).map(|key| (delivery::TABLE, key)).collect();
        if keys.is_empty() {
            return Ok(None);
        }
        let found = self.tables.get_many(&keys).await?;
        let Some(item) = found.iter().flatten().next() else { return Ok(None) };
        let Delivery { event_id, execution_id, content, first_key } = delivery::parse(item)?;
        let differs = matches!((&content, &identity.content), (Some(first), Some(now)) if first != now);
        let repeat = match first_key {
            Some(first) if identity.key.as_ref() != Some(&first) => Repeat::OtherKey,
            _ if differs => Repeat::OtherContent,
            _ => Repeat::Same,
        };
        Ok(Some(Accepted { event_id, execution_id, repeat: Some(repeat) }))
    }

    /// Whether new work may come in; if not, so much waits that it would only wait longer.
    pub fn room(&self) -> Result<(), Error> {
        self.events.room().inspect_err(|_| Metrics::count(&self.metrics.deliveries_put_off)).map_err(Error::from)
    }

    /// Accepts an event that is addressed to a workflow's trigger; once it returns, the event is durable.
    ///
    /// The event is queued before its key is claimed: a crash between the two leaves a delivery that was not
    /// answered, and its repeat has the same event id, which starts nothing twice. The other order would lose it.
    #[boxed]
    pub async fn accept(&self, event: Event, identity: &Identity) -> Result<Accepted, Error> {
        let execution_id = event.workflow.as_deref().map(|workflow| ids::execution_id(&event.id, workflow));
        self.take(event, identity, execution_id).await
    }

    /// Accepts an event of which it is not known yet what it starts: executions may wait for it, or it is collected with others.
    /// Durable as above.
    #[boxed]
    pub async fn accept_undecided(&self, event: Event, identity: &Identity) -> Result<Accepted, Error> {
        self.take(event, identity, None).await
    }

    async fn take(
        &self,
        mut event: Event,
        identity: &Identity,
        execution_id: Option<String>,
    ) -> Result<Accepted, Error> {
        self.room()?;
        let record = event.subject.as_ref().map(ToString::to_string);
        let lane = event.workflow.clone().or(record).unwrap_or_else(|| "bus".to_owned());
        let accepted = Accepted { event_id: event.id.clone(), execution_id, repeat: None };
        offload::event(&*self.blobs, BlobOwner::event(&event.id), &mut event).await?;
        let (group, trigger) = claimed_for(&event);
        let message = EventMessage::Event(Box::new(event));
        let body = serde_json::to_string(&message).expect("an event is JSON");
        self.events.send(QueueName::Events, vec![Message { body, delay: SignedDuration::ZERO, group: lane }]).await?;
        let writes = self.claims(&group, &trigger, identity, &accepted);
        match self.tables.transact(Transaction { writes, durability: Durability::Durable }).await {
            Ok(()) => {
                Metrics::count(&self.metrics.events_accepted);
                Ok(accepted)
            }
            Err(TableError::Conflict(_)) => {
                let earlier = self.earlier(&group, &trigger, identity).await?;
                Ok(earlier.unwrap_or(accepted))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Claims the key of a delivery, and what was signed under it.
    fn claims(&self, workflow: &str, trigger: &str, identity: &Identity, accepted: &Accepted) -> Vec<Write> {
        let Some(key) = &identity.key else { return Vec::new() };
        let by_key = Delivery {
            event_id: accepted.event_id.clone(),
            execution_id: accepted.execution_id.clone(),
            content: identity.content.clone(),
            first_key: None,
        };
        let by_signature = Delivery { content: None, first_key: Some(key.clone()), ..by_key.clone() };
        let signed = identity.signed.as_ref();
        let signed = signed.map(|digest| (delivery::signed_key(workflow, trigger, digest), by_signature));
        let claims = std::iter::once((delivery::key(workflow, trigger, key), by_key)).chain(signed);
        let put = |(key, answer)| Write::Put {
            table: delivery::TABLE,
            item: delivery::item(key, &answer, self.clock.now()),
            expect: Expect::Absent,
        };
        claims.map(put).collect()
    }

    /// Stores that a delivery was rejected, for people to see. Those of one trigger with one code within an hour are one
    /// row that counts them, so that nobody without a key can fill the storage.
    #[boxed]
    pub async fn reject(&self, workflow: &str, trigger: &str, code: &str, message: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let refusal = Refusal {
            workflow: workflow.to_owned(),
            trigger: Some(trigger.to_owned()),
            event_id: ids::rejection_id(workflow, trigger, code, now.as_second().div_euclid(3_600)),
            record: None,
            code: code.to_owned(),
            message: message.to_owned(),
            at: now,
            collected: None,
            first_at: None,
            count: 1,
            at_least: false,
            has_event: false,
        };
        Metrics::count(&self.metrics.deliveries_rejected);
        tracing::info!(workflow, code, "a delivery on {workflow}/{trigger} is rejected: {code}");
        Ok(self.rejections.add(&self.tables, refusal).await?)
    }

    /// Writes what this process counted of rejected deliveries and storage did not take yet.
    #[boxed]
    pub async fn write_rejections(&self) -> Result<(), Error> {
        Ok(self.rejections.write_all(&self.tables).await?)
    }
}
