//! The evaluator: an event, the triggers that listen, and the executions that begin.

mod debounce;
mod fill;
mod forgotten;
mod fork;
mod mail;
mod matching;
mod overdue;
mod start;
mod waiters;
mod why_not;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::Event;

use crate::message::EventMessage;
use crate::operations::Operations;
use crate::ports::{
    BlobOwner, Blobs, Clock, Key, Message, Queue, QueueName, RecordChange, Tables, expired_message, stream_message,
};
use crate::schedules::Schedules;
use crate::signals::Signals;
use crate::{
    Catalog, Dates, Error, LoopLimits, Metrics, TopicReads, Transitions, changes, expiry, items, listeners, offload,
};

pub(crate) use start::Starter;
pub use why_not::{TriggerNow, WhyNot};

/// Decides what events start and which goals they meet.
///
/// It reaches storage, queues and timers, and nothing that steps do outside.
pub struct Evaluator {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) events: Arc<dyn Queue>,
    pub(crate) starter: Arc<Starter>,
    pub(crate) transitions: Arc<Transitions>,
    pub(crate) operations: Arc<Operations>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) schedules: Arc<Schedules>,
    pub(crate) dates: Arc<Dates>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) loops: LoopLimits,
}

/// What became of an event for one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An execution began, or had begun.
    Started(String),
    /// It is one of several events by which this execution starts once no more come.
    Debounced(String),
    /// It was refused, visibly.
    Refused {
        /// Stable code.
        code: String,
        /// In words.
        message: String,
    },
    /// No trigger matches it.
    NoMatch,
}

impl Evaluator {
    /// Handles a message of the event queue. The caller deletes it after. What concerns many executions stops at the
    /// deadline, and goes on in another message.
    #[boxed]
    pub async fn handle(&self, body: &str, deadline: Option<Timestamp>) -> Result<(), Error> {
        match EventMessage::parse(body)? {
            EventMessage::Expired(head) => self.expired(&head).await,
            EventMessage::Event(event) => self.evaluate(*event, deadline).await,
            EventMessage::Stream(change) => self.changed(&change, &TopicReads::default(), deadline).await,
            EventMessage::Waiters(waiters) => self.part(*waiters, deadline).await,
            EventMessage::Operation(id) => self.operations.go_on(&id, deadline).await,
            EventMessage::Window(partition) => self.starter.close(&partition).await,
            EventMessage::Schedule { workflow, trigger } => self.schedules.fire(&workflow, &trigger, deadline).await,
            EventMessage::Date { of, workflow, trigger } => self.dates.fire(&of, (&workflow, &trigger)).await,
            EventMessage::Overdue(activity) => self.overdue(&activity, deadline).await,
            EventMessage::Signals(topic) => self.signals.hand_over(&topic, deadline).await,
        }
    }

    /// Removes what belonged to an execution whose head has expired and is removed. Doing it again changes nothing.
    #[boxed]
    pub async fn expired(&self, head: &Key) -> Result<(), Error> {
        expiry::follow(&*self.tables, &*self.blobs, head).await
    }

    /// Puts on the event queue that a head has expired, for a later turn.
    #[boxed]
    pub async fn enqueue_expired(&self, head: &Key) -> Result<(), Error> {
        let message = expired_message(items::execution::TABLE, head);
        Ok(self.events.send(QueueName::Events, message.into_iter().collect()).await?)
    }

    /// Evaluates a change of a record. Changes that are handed over together share their reads of who listens; these begin
    /// after all of the changes are there.
    #[boxed]
    pub async fn changed(
        &self,
        change: &RecordChange,
        reads: &TopicReads,
        deadline: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut result = Ok(());
        for event in changes::events(change)? {
            result = result.and(self.evaluate_with(event, reads, deadline).await);
        }
        result
    }

    /// Puts a change of a record on the event queue, where it is evaluated later. It goes as the event that it is, for
    /// the record before and after may be too large for a message; what cannot be read as one goes as it came.
    #[boxed]
    pub async fn enqueue(&self, change: &RecordChange) -> Result<(), Error> {
        let messages = match changes::events(change) {
            Ok(events) => {
                let mut messages = Vec::new();
                for mut event in events {
                    offload::event(&*self.blobs, BlobOwner::event(&event.id), &mut event).await?;
                    let group = event.subject.as_ref().map(ToString::to_string).unwrap_or_default();
                    let body = serde_json::to_string(&EventMessage::Event(Box::new(event))).expect("an event is JSON");
                    messages.push(Message { body, delay: SignedDuration::ZERO, group });
                }
                messages
            }
            Err(_) => stream_message(change.old.as_ref(), change.new.as_ref()).into_iter().collect(),
        };
        if messages.is_empty() {
            return Ok(());
        }
        Ok(self.events.send(QueueName::Events, messages).await?)
    }

    /// Evaluates an event against the workflows and the waiting executions that listen.
    #[boxed]
    pub async fn evaluate(&self, event: Event, deadline: Option<Timestamp>) -> Result<(), Error> {
        self.evaluate_with(event, &TopicReads::default(), deadline).await
    }

    #[boxed]
    async fn evaluate_with(&self, event: Event, reads: &TopicReads, deadline: Option<Timestamp>) -> Result<(), Error> {
        let Some(event) = self.restored(event).await? else { return Ok(()) };
        if event.kind.facts().is_kept {
            return self.signals.accept_event(&event).await;
        }
        if let Some(address) = event.mail_address() {
            return self.mail((&event, address), deadline).await;
        }
        // Each has its turn although another fails, and the first failure is told: a repeat starts nothing twice.
        let mut result = Ok(());
        for workflow in self.candidates(&event, reads).await? {
            result = result.and(self.follow(&workflow, &event).await);
        }
        result.and(self.tell_waiters(&event, deadline).await)
    }

    /// Starts a workflow for an event; before that, the dates of the workflow follow an event that moves them.
    async fn follow(&self, workflow: &str, event: &Event) -> Result<(), Error> {
        let is_decided = self.starter.start_unless_it_moves(workflow, event).await?.is_some();
        if !is_decided && self.dates.follow(workflow, event).await? {
            self.starter.start(workflow, event).await?;
        }
        Ok(())
    }

    /// The workflows that an event may start: the one that it is addressed to, or those that are listed under what it says.
    async fn candidates(&self, event: &Event, reads: &TopicReads) -> Result<Vec<String>, Error> {
        if let Some(workflow) = &event.workflow {
            return Ok(vec![workflow.clone()]);
        }
        if event.starts_nothing() {
            return Ok(Vec::new());
        }
        Ok(listeners::of(&self.catalog, event, reads).await?.into_iter().collect())
    }

    /// Starts a workflow for an event, at most once, if one of its triggers matches and the guards let it pass.
    #[boxed]
    pub async fn start(&self, workflow: &str, event: &Event) -> Result<Outcome, Error> {
        self.starter.start(workflow, event).await
    }
}
