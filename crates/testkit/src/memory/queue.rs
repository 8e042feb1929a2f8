//! Queues in memory.

use std::future::poll_fn;
use std::task::Poll;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::rules::validate_delay;
use pawl_runtime::ports::{Message, Queue, QueueError, QueueName, QueueSource, Received};

use super::MemoryStore;
use super::state::State;

#[async_trait]
impl Queue for MemoryStore {
    async fn send(&self, queue: QueueName, messages: Vec<Message>) -> Result<(), QueueError> {
        messages.iter().try_for_each(Message::validate)?;
        {
            let (mut state, now) = (self.lock(), self.now());
            for message in messages {
                state.send(queue, message, now);
            }
        }
        self.ring();
        Ok(())
    }
}

#[async_trait]
impl QueueSource for MemoryStore {
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
    ) -> Result<Vec<Received>, QueueError> {
        if max == 0 {
            return Err(QueueError::Invalid("expected to receive at most 1 or more, found 0".to_owned()));
        }
        let seat = self.clock.bell().seat();
        let received = poll_fn(|context| {
            seat.listen(context.waker());
            let received = self.lock().receive(queue, max, visibility, self.now());
            if received.is_empty() { Poll::Pending } else { Poll::Ready(received) }
        });
        Ok(received.await)
    }

    async fn delete(&self, _queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        let mut state = self.lock();
        if let Some(id) = state.find_receipt(receipt) {
            state.messages.remove(&id);
        }
        Ok(())
    }

    async fn give_back(&self, _queue: QueueName, receipt: &str, delay: SignedDuration) -> Result<(), QueueError> {
        validate_delay(delay)?;
        {
            let (mut state, now) = (self.lock(), self.now());
            if let Some(letter) = state.find_receipt(receipt).and_then(|id| state.messages.get_mut(&id)) {
                letter.visible_at = later(now, delay);
            }
        }
        self.ring();
        Ok(())
    }

    async fn put_off(&self, _queue: QueueName, message: &Received, delay: SignedDuration) -> Result<(), QueueError> {
        validate_delay(delay)?;
        {
            let (mut state, now) = (self.lock(), self.now());
            if let Some(letter) = state.find_receipt(&message.receipt).and_then(|id| state.messages.get_mut(&id)) {
                letter.visible_at = later(now, delay);
                letter.attempt -= 1;
                letter.put_off += 1;
            }
        }
        self.ring();
        Ok(())
    }
}

impl State {
    fn receive(&mut self, queue: QueueName, max: usize, visibility: SignedDuration, now: Timestamp) -> Vec<Received> {
        self.fire_timers(now);
        let mut visible: Vec<(Timestamp, u64)> = self
            .messages
            .iter()
            .filter(|(_, letter)| letter.queue == queue && letter.visible_at <= now)
            .map(|(id, letter)| (letter.visible_at, *id))
            .collect();
        visible.sort_unstable();
        visible.truncate(max);
        visible.into_iter().map(|(_, id)| self.lease(id, later(now, visibility))).collect()
    }

    fn lease(&mut self, id: u64, until: Timestamp) -> Received {
        let letter = self.messages.get_mut(&id).expect("the message was just found");
        letter.attempt += 1;
        letter.visible_at = until;
        Received {
            receipt: format!("{id}.{}", letter.attempt),
            body: letter.body.clone(),
            attempt: letter.attempt,
            put_off: letter.put_off,
            group: Some(letter.group.clone()),
            sent_at: letter.sent_at,
        }
    }

    /// The message that a receipt stands for, unless it is gone or was received again since.
    fn find_receipt(&self, receipt: &str) -> Option<u64> {
        let (id, attempt) = receipt.split_once('.')?;
        let (id, attempt): (u64, u32) = (id.parse().ok()?, attempt.parse().ok()?);
        self.messages.get(&id).filter(|letter| letter.attempt == attempt).map(|_| id)
    }
}

fn later(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.saturating_add(span).expect("a signed duration has no calendar units")
}
