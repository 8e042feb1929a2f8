//! The messages of one invocation, each for itself.
//!
//! - They are handled side by side: a handler mostly waits for others. How many there are is the mapping's batch size.
//! - One that fails is reported as failed and no other: Lambda deletes the others. It comes again after a wait that grows,
//!   as in one process, and not only when its visibility is over, which is six times the function's time-out.
//! - One that fails since AWS fails, or in races, is put off: sent anew with a delay that grows to 15 minutes, so that its
//!   deliveries begin to count anew, and an outage of hours gives up nothing.
//! - One that fails for the last time is marked here, where the cause is known. The queue then gives it up by itself.
//! - One whose handler panics has failed like any other. A panic is a defect of ours, mostly one that the next delivery
//!   meets again; then the message is given up, its execution is marked as stalled, and nobody else has noticed.
//! - One that nobody can read is never right: it fails, without a wait, until the queue gives it up. It is neither
//!   dropped, for then nobody would see it, nor sent elsewhere, for its dead-letter queue is where an operator looks.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use pawl_aws::PUT_OFF;
use pawl_aws::timer_relay::{self, Arrived};
use pawl_runtime::message::DELIVERIES;
use pawl_runtime::ports::{DeadLetter, QueueName, QueueSource, Received};
use pawl_runtime::{About, Core, Error, message};
use tokio::time::timeout;

/// Time that is kept for giving back what did not end.
const RESERVE: SignedDuration = SignedDuration::from_secs(5);

/// What handles batches of messages.
#[derive(Clone)]
pub struct Batch {
    core: Core,
    source: Arc<dyn QueueSource>,
}

/// A message that is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// From this queue.
    pub queue: QueueName,
    /// As it was sent.
    pub body: String,
    /// It came before, and nobody knows if the process lives that had it.
    pub again: bool,
}

/// Why a message was not handled.
#[derive(Debug, thiserror::Error)]
enum Undone {
    /// Its handler failed.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Its handler did not end before its function had to.
    #[error("its handler did not end in time")]
    CutOff,
    /// Its handler panicked; the hook has logged where.
    #[error("its handler panicked")]
    Panicked,
}

impl Batch {
    /// Over a core, and the side of its queues that gives messages back.
    pub fn new(core: Core, source: Arc<dyn QueueSource>) -> Self {
        Self { core, source }
    }

    /// Handles all messages and reports those that failed. `queue_of` knows from which queue a message came, and `handler`
    /// what to do with it.
    pub async fn handle(
        &self,
        event: SqsEvent,
        queue_of: impl Fn(&SqsMessage) -> QueueName,
        deadline: Timestamp,
        handler: impl AsyncFn(Delivered) -> Result<(), Error>,
    ) -> SqsBatchResponse {
        let one = async |message: &SqsMessage| {
            let queue = queue_of(message);
            let work = Box::pin(guarded(self.one(queue, message, &handler)));
            let Ok(ended) = timeout(self.longest(queue, deadline), work).await else {
                self.failed(queue, message, &Undone::CutOff).await;
                return Some(message.message_id.clone().unwrap_or_default());
            };
            match ended {
                None => self.failed(queue, message, &Undone::Panicked).await,
                Some(Err(error)) if error.is_transient() && self.put_off(queue, message, &error).await => return None,
                Some(Err(error)) => self.failed(queue, message, &error.into()).await,
                Some(Ok(())) => return None,
            }
            // Without an id there is nothing to report but that all have failed, which is what an empty one says.
            Some(message.message_id.clone().unwrap_or_default())
        };
        let mut answer = SqsBatchResponse::default();
        for id in join_all(event.records.iter().map(one)).await.into_iter().flatten() {
            answer.add_failure(id);
        }
        answer
    }

    /// How long a handler may take. A job knows its deadline by itself; an event that takes longer is given back here, so
    /// that the others of its batch are deleted before the function is cut off.
    fn longest(&self, queue: QueueName, deadline: Timestamp) -> Duration {
        if queue != QueueName::Events {
            return Duration::MAX;
        }
        let left = (deadline - RESERVE).duration_since(self.core.ports.clock.now());
        left.try_into().unwrap_or_default()
    }

    async fn one(
        &self,
        queue: QueueName,
        message: &SqsMessage,
        handler: &impl AsyncFn(Delivered) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match timer_relay::read(message.body.clone().unwrap_or_default(), self.core.ports.clock.now()) {
            Arrived::Early(message) => Ok(self.core.ports.queue.send(queue, vec![message]).await?),
            Arrived::Now(body) => handler(Delivered { queue, body, again: attempt(message) > 1 }).await,
        }
    }

    /// Sends a message anew that failed for no fault of its own; says whether that went well.
    async fn put_off(&self, queue: QueueName, message: &SqsMessage, error: &Error) -> bool {
        let received = received(message);
        let About { execution_id, event_id, .. } = About::read(&received.body);
        let (attempt, put_off) = (received.attempt, received.put_off);
        self.core.metrics.messages_put_off.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(execution_id, event_id, attempt, put_off, ?queue, "a message is put off: {error}");
        let sent = self.source.put_off(queue, &received, message::patience(put_off)).await;
        sent.inspect_err(|error| tracing::warn!(execution_id, event_id, ?queue, "it is not sent anew: {error}")).is_ok()
    }

    /// Marks what a message is about that fails for the last time.
    async fn mark(&self, queue: QueueName, message: &SqsMessage, why: &Undone) {
        let body = timer_relay::inner(message.body.clone().unwrap_or_default());
        let letter = DeadLetter::new(queue, body);
        let why = format!("{why}, in each of {DELIVERIES} deliveries");
        match guarded(self.core.sweeper.mark_dead_letter(&letter, &why)).await {
            Some(Ok(())) => {}
            // The sweeper finds it without a mark.
            Some(Err(error)) => tracing::error!(?queue, "a message that is given up is not marked: {error}"),
            None => tracing::error!(?queue, "a message that is given up is not marked, after a panic"),
        }
    }

    /// Logs a failure, and lets the message come again after a while.
    async fn failed(&self, queue: QueueName, message: &SqsMessage, why: &Undone) {
        let about = About::read(message.body.as_deref().unwrap_or_default());
        let (what, About { execution_id, event_id, .. }) = (about.what(), &about);
        let attempt = attempt(message);
        tracing::warn!(
            execution_id,
            event_id,
            attempt,
            ?queue,
            "the message of {what} is given back after attempt {attempt}: {why}"
        );
        let is_poison = matches!(why, Undone::Failed(Error::Poison(_)));
        let is_last = attempt >= DELIVERIES && !matches!(why, Undone::Failed(error) if error.is_transient());
        if is_last {
            self.mark(queue, message, why).await;
        }
        let wait = if is_poison || is_last { SignedDuration::ZERO } else { message::backoff(attempt) };
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        if let Err(error) = self.source.give_back(queue, receipt, wait).await {
            tracing::warn!(execution_id, event_id, ?queue, "it comes again only after its visibility: {error}");
        }
    }
}

/// How often a message was received since it was last put off, this time among them.
fn attempt(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// A message as the queue's port shows it.
fn received(message: &SqsMessage) -> Received {
    let put_off = message.message_attributes.get(PUT_OFF).and_then(|count| count.string_value.as_deref());
    let sent_at = message.attributes.get("SentTimestamp").and_then(|millis| millis.parse().ok());
    Received {
        receipt: message.receipt_handle.clone().unwrap_or_default(),
        body: message.body.clone().unwrap_or_default(),
        attempt: attempt(message),
        put_off: put_off.and_then(|count| count.parse().ok()).unwrap_or(0),
        group: message.attributes.get("MessageGroupId").cloned(),
        sent_at: sent_at.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or_default(),
    }
}

/// Lets a panic end only this; `None` if it panicked. What it held is not used again: each message reads its own
/// world, and what is shared between them is cached behind locks that no panic can leave half-written.
pub async fn guarded<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}
