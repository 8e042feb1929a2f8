//! Dead letters in memory.

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::ports::{DeadLetter, DeadLetters, Message, QueueError, QueueName};

use super::MemoryStore;

#[async_trait]
impl DeadLetters for MemoryStore {
    async fn look(&self, most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let state = self.lock();
        let letters = state.dead.iter().take(most);
        Ok(letters.map(|(queue, message)| DeadLetter { queue: *queue, body: message.body.clone() }).collect())
    }

    async fn redrive(&self) -> Result<usize, QueueError> {
        let count = {
            let (mut state, now) = (self.lock(), self.now());
            let dead = std::mem::take(&mut state.dead);
            let count = dead.len();
            for (queue, message) in dead {
                state.send(queue, message, now);
            }
            count
        };
        self.ring();
        Ok(count)
    }
}

impl MemoryStore {
    /// Gives a message up, as a queue does after too many deliveries: it is a dead letter from now on.
    pub fn give_up(&self, queue: QueueName, body: &str) {
        let message = Message { body: body.to_owned(), delay: SignedDuration::ZERO, group: String::new() };
        self.lock().dead.push((queue, message));
    }
}
