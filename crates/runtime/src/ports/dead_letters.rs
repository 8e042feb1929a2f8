//! Dead letters: messages that could not be handled however often they were delivered.

use async_trait::async_trait;

use super::{QueueError, QueueName};

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue on which it was.
    pub queue: QueueName,
    /// JSON text as sent, if it is any.
    pub body: String,
    /// Handle for sending it back.
    pub receipt: String,
    /// How often [`DeadLetters::send_back`] sent this message back before.
    pub sent_back: u32,
}

impl DeadLetter {
    /// A message that is given up now, by the one who handles it.
    pub fn new(queue: QueueName, body: String) -> Self {
        Self { queue, body, receipt: String::new(), sent_back: 0 }
    }
}

/// The messages that queues gave up.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Looks at up to `most` of them and leaves them where they are. Which ones is not promised: whoever looks again
    /// and again sees them all.
    async fn look(&self, most: usize) -> Result<Vec<DeadLetter>, QueueError>;

    /// Puts up to `most` of them back on the queues from which they came, and says how many: if fewer, none was left. A
    /// message may be there twice if it fails on the way.
    async fn redrive(&self, most: usize) -> Result<usize, QueueError>;

    /// Puts one of those that were just looked at back on its queue, counted. One that is no longer there is no error.
    async fn send_back(&self, letter: &DeadLetter) -> Result<(), QueueError>;
}

/// Where messages that were given up are marked at once and not kept, as in one process: nothing is to be seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDeadLetters;

#[async_trait]
impl DeadLetters for NoDeadLetters {
    async fn look(&self, _most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(Vec::new())
    }

    async fn redrive(&self, _most: usize) -> Result<usize, QueueError> {
        Ok(0)
    }

    async fn send_back(&self, _letter: &DeadLetter) -> Result<(), QueueError> {
        Ok(())
    }
}
