//! Tells waiting executions of an event: few at once, many in messages of a bounded number.
//!
//! The lists of those who wait are read page by page, and each page becomes messages that name their executions. A
//! message that is handled again tells its executions again, which changes nothing: an execution that has gone on no
//! longer waits for the event. So a failure repeats one message, and never all.

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::Event;

use super::Evaluator;
use crate::message::{EventMessage, Part, Waiters};
use crate::ports::rules::MAX_PAGE;
use crate::ports::{BlobOwner, Message, QueueName};
use crate::turn::Turn;
use crate::waiters::{Listening, Place};
use crate::{Error, Metrics, offload};

/// Values of an event above this many bytes do not travel in each of many messages.
const SMALL: usize = 1024;

impl Evaluator {
    /// Tells all who wait for an event, or has them told.
    pub(super) async fn tell_waiters(&self, event: &Event, deadline: Option<Timestamp>) -> Result<(), Error> {
        if let Some(few) = Listening::to(&*self.tables, event).few(self.loops.waiters).await? {
            return self.tell(event, few.into_iter().collect(), deadline).await;
        }
        let mut event = event.clone();
        offload::event_above(&*self.blobs, BlobOwner::event(&event.id), &mut event, SMALL).await?;
        self.send_on(&event, Part::From { list: 0, after: None }).await
    }

    /// Handles a message about some of those who wait for an event.
    pub(super) async fn part(&self, waiters: Waiters, deadline: Option<Timestamp>) -> Result<(), Error> {
        let Waiters { event: small, part } = waiters;
        let Some(event) = self.restored(small.clone()).await? else { return Ok(()) };
        match part {
            Part::From { list, after } => self.split((&event, &small), Place { list, after }, deadline).await,
            Part::These(executions) => self.tell(&event, executions, deadline).await,
        }
    }

    /// Sends those who wait from a place on in messages of a bounded number. What is left at the deadline goes on in
    /// another message.
    async fn split(
        &self,
        (event, small): (&Event, &Event),
        mut place: Place,
        deadline: Option<Timestamp>,
    ) -> Result<(), Error> {
        let listening = Listening::to(&*self.tables, event);
        let limit = self.loops.waiters.saturating_mul(10).min(MAX_PAGE);
        let mut turn = Turn::new(&*self.clock, deadline, self.loops);
        let mut count = 0;
        while turn.take() {
            let (page, next) = listening.page(&place, limit).await?;
            count += page.len();
            let executions: Vec<_> = page.into_iter().collect();
            let messages: Vec<_> = executions
                .chunks(self.loops.waiters)
                .map(|these| message(small, Part::These(these.to_vec())))
                .collect();
            if !messages.is_empty() {
                self.events.send(QueueName::Events, messages).await?;
            }
            let Some(next) = next else {
                tracing::info!(event_id = %event.id, "event {} is told to {count} more executions", event.id);
                return Ok(());
            };
            place = next;
        }
        Metrics::count(&self.metrics.runs_cut_short);
        tracing::info!(event_id = %event.id, count, "the waiters of event {} go on in another message", event.id);
        self.send_on(small, Part::From { list: place.list, after: place.after }).await
    }

    /// Tells executions of an event. Each has its turn although another fails, and the first failure is returned. Those
    /// that are left at the deadline are told by another message.
    async fn tell(&self, event: &Event, executions: Vec<String>, deadline: Option<Timestamp>) -> Result<(), Error> {
        let mut left = executions.as_slice();
        let mut result = Ok(());
        while !left.is_empty() {
            let has_begun = left.len() < executions.len();
            if has_begun && deadline.is_some_and(|deadline| self.clock.now() >= deadline) {
                Metrics::count(&self.metrics.runs_cut_short);
                let mut event = event.clone();
                offload::event_above(&*self.blobs, BlobOwner::event(&event.id), &mut event, SMALL).await?;
                return result.and(self.send_on(&event, Part::These(left.to_vec())).await);
            }
            let (now, later) = left.split_at(left.len().min(self.loops.at_once));
            let mut telling = Vec::new();
            for execution in now {
                telling.push(self.transitions.on_event(execution, event));
            }
            result = join_all(telling).await.into_iter().fold(result, Result::and);
            left = later;
        }
        result
    }

    async fn send_on(&self, event: &Event, part: Part) -> Result<(), Error> {
        Ok(self.events.send(QueueName::Events, vec![message(event, part)]).await?)
    }
}

fn message(event: &Event, part: Part) -> Message {
    let waiters = Waiters { event: event.clone(), part };
    let body = serde_json::to_string(&EventMessage::Waiters(Box::new(waiters))).expect("an event is JSON");
    let group = event.subject.as_ref().map(ToString::to_string).unwrap_or_default();
    Message { body, delay: SignedDuration::ZERO, group }
}
