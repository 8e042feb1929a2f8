//! Dead letters in memory.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::{DeadLetter, DeadLetters, Message, QueueError, QueueName};

use super::MemoryStore;
use super::state::State;

#[async_trait]
impl DeadLetters for MemoryStore {
    async fn look(&self, most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.lock().dead.iter().take(most).cloned().collect())
    }

    async fn redrive(&self, most: usize) -> Result<usize, QueueError> {
        let count = {
            let (mut state, now) = (self.lock(), self.now());
            let count = state.dead.len().min(most);
            let dead: Vec<_> = state.dead.drain(..count).collect();
            for letter in dead {
                state.put_back(letter, now);
            }
            count
        };
        self.ring();
        Ok(count)
    }

    async fn send_back(&self, letter: &DeadLetter) -> Result<(), QueueError> {
        {
            let (mut state, now) = (self.lock(), self.now());
            if let Some(at) = state.dead.iter().position(|dead| dead.receipt == letter.receipt) {
                let letter = state.dead.remove(at);
                state.put_back(letter, now);
            }
        }
        self.ring();
        Ok(())
    }
}

impl State {
    fn put_back(&mut self, letter: DeadLetter, now: Timestamp) {
        let message = Message { body: letter.body, delay: SignedDuration::ZERO, group: String::new() };
        self.send(letter.queue, message, now);
    }
}

impl MemoryStore {
    /// Gives a message up, as a queue does after too many deliveries: it is a dead letter from now on. `sent_back` says
    /// how often the sweeper sent it back before.
    pub fn give_up(&self, queue: QueueName, body: &str, sent_back: u32) {
        let mut state = self.lock();
        state.last_message += 1;
        let receipt = state.last_message.to_string();
        state.dead.push(DeadLetter { queue, body: body.to_owned(), receipt, sent_back });
    }
}
