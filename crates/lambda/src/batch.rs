//! The messages of one invocation, each for itself.
//!
//! - They are handled side by side: a handler mostly waits for others. How many there are is the mapping's batch size.
//! - One that fails is reported as failed and no other: Lambda deletes the others. It comes again after a wait that grows,
//!   as in one process, and not only when its visibility is over, which is six times the function's time-out.
//! - One whose handler panics has failed like any other. A panic is a defect of ours, mostly one that the next delivery
//!   meets again; then the message is given up, its execution is marked as stalled, and nobody else has noticed.
//! - One that nobody can read is never right: it fails, without a wait, until the queue gives it up. It is neither
//!   dropped, for then nobody would see it, nor sent elsewhere, for its dead-letter queue is where an operator looks.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use pawl_aws::timer_relay::{self, Arrived};
use pawl_runtime::ports::{QueueName, QueueSource};
use pawl_runtime::{About, Error, System, message};

/// What handles batches of messages.
#[derive(Clone)]
pub struct Batch {
    system: System,
    source: Arc<dyn QueueSource>,
}

/// Why a message was not handled.
#[derive(Debug, thiserror::Error)]
enum Undone {
    /// Its handler failed.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Its handler panicked; the hook has logged where.
    #[error("its handler panicked")]
    Panicked,
}

impl Batch {
    /// Over a system, and the side of its queues that gives messages back.
    pub fn new(system: System, source: Arc<dyn QueueSource>) -> Self {
        Self { system, source }
    }

    /// Handles all messages and reports those that failed. `queue_of` knows from which queue a message came.
    pub async fn handle(
        &self,
        event: SqsEvent,
        queue_of: impl Fn(&SqsMessage) -> QueueName,
        deadline: Timestamp,
    ) -> SqsBatchResponse {
        let one = async |message: &SqsMessage| {
            let queue = queue_of(message);
            match Box::pin(guarded(self.one(queue, message, deadline))).await {
                None => self.failed(queue, message, &Undone::Panicked).await,
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

    async fn one(&self, queue: QueueName, message: &SqsMessage, deadline: Timestamp) -> Result<(), Error> {
        let ports = &self.system.ports;
        match timer_relay::read(message.body.clone().unwrap_or_default(), ports.clock.now()) {
            Arrived::Early(message) => Ok(ports.queue.send(queue, vec![message]).await?),
            Arrived::Now(body) => self.system.deliver(queue, &body, attempt(message) > 1, Some(deadline)).await,
        }
    }

    /// Logs a failure, and lets the message come again after a while.
    async fn failed(&self, queue: QueueName, message: &SqsMessage, why: &Undone) {
        let about = About::read(message.body.as_deref().unwrap_or_default());
        let (what, About { execution_id, event_id }) = (about.what(), &about);
        let attempt = attempt(message);
        tracing::warn!(
            execution_id,
            event_id,
            attempt,
            ?queue,
            "the message of {what} is given back after attempt {attempt}: {why}"
        );
        let is_poison = matches!(why, Undone::Failed(Error::Poison(_)));
        let wait = if is_poison { SignedDuration::ZERO } else { message::backoff(attempt) };
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        if let Err(error) = self.source.give_back(queue, receipt, wait).await {
            tracing::warn!(execution_id, event_id, ?queue, "it comes again only after its visibility: {error}");
        }
    }
}

/// How often a message was received, this time among them.
fn attempt(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Lets a panic end only this; `None` if it panicked. What it held is not used again: each message reads its own
/// world, and what is shared between them is cached behind locks that no panic can leave half-written.
pub async fn guarded<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}
