//! Queues: at-least-once delivery, no order promised.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A queue. The names are stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueName {
    /// Events to evaluate, and changes of records.
    Events,
    /// Jobs of executions.
    Jobs,
    /// Jobs of executions of workflows with high priority.
    JobsHigh,
    /// Jobs of executions whose next outside call may last long, where such calls are made apart.
    JobsSlow,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// JSON text, at most 240 KiB.
    pub body: String,
    /// Not delivered earlier than this after sending; 0–900 s.
    pub delay: SignedDuration,
    /// Fairness group (the workflow id).
    pub group: String,
}

/// A message that was received and must be deleted once handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Handle for deletion.
    pub receipt: String,
    /// JSON text as sent.
    pub body: String,
    /// How often it was received and not put off, 1 or more.
    pub attempt: u32,
    /// How often it was put off, see [`QueueSource::put_off`].
    pub put_off: u32,
    /// Fairness group, where the queue tells it.
    pub group: Option<String>,
    /// When it was first sent, by the queue's clock.
    pub sent_at: Timestamp,
}

/// Why a queue call failed. A failed `send` may have sent; receivers must tolerate a repeat.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// Try again.
    #[error("the queue is unavailable: {0}")]
    Unavailable(String),
    /// So much work waits that no more is taken in for now.
    #[error("the backlog is full: {0}")]
    Full(String),
    /// The call breaks a rule of the port.
    #[error("invalid queue call: {0}")]
    Invalid(String),
}

/// The sending side.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages; order of commits and sends by one caller is kept on embedded backends (a send that
    /// returned is durable once a later durable commit returned).
    async fn send(&self, queue: QueueName, messages: Vec<Message>) -> Result<(), QueueError>;

    /// Whether new work may come in from outside, or [`QueueError::Full`]. What is under way is sent all the same.
    /// Where queues have no bound, there is always room.
    fn room(&self) -> Result<(), QueueError> {
        Ok(())
    }
}

/// The receiving side, for drivers that poll. On AWS, Lambda is the driver.
#[async_trait]
pub trait QueueSource: Send + Sync {
    /// Receives up to `max` messages, waiting until there is at least one. A received message is hidden for
    /// `visibility` and then delivered again unless deleted.
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
    ) -> Result<Vec<Received>, QueueError>;

    /// Deletes a handled message; an unknown receipt is no error.
    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError>;

    /// Gives a message back, to be delivered again after `delay`.
    async fn give_back(&self, queue: QueueName, receipt: &str, delay: SignedDuration) -> Result<(), QueueError>;

    /// Gives a message back that could not be handled for no fault of its own, to be delivered again after `delay`:
    /// this delivery does not count as an attempt, and the next one is [put off](Received::put_off) once more. A queue
    /// may send it anew, so that it is there twice if it fails on the way.
    async fn put_off(&self, queue: QueueName, message: &Received, delay: SignedDuration) -> Result<(), QueueError>;
}
