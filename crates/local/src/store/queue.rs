//! The store as [`Queue`] and [`QueueSource`].

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::ports::rules::validate_delay;
use pawl_runtime::ports::{Message, Queue, QueueError, QueueName, QueueSource, Received};

use super::hub::Letter;
use super::request::{Change, GivenBack, Request};
use super::{Stopped, Store, micros};

#[async_trait]
impl Queue for Store {
    /// Returns once the messages are on their way to the writer: they are in order before whatever the caller does
    /// next, and nothing is received before it was applied.
    async fn send(&self, queue: QueueName, messages: Vec<Message>) -> Result<(), QueueError> {
        messages.iter().try_for_each(Message::validate)?;
        self.post_paced(|reply| Change::Send(queue, messages, reply)).await.map_err(unavailable)
    }
}

#[async_trait]
impl QueueSource for Store {
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
    ) -> Result<Vec<Received>, QueueError> {
        if max == 0 {
            return Err(QueueError::Invalid("expected to receive at most 1 or more, found 0".to_owned()));
        }
        loop {
            let arrival = self.inner.hub.arrivals(queue).notified();
            if self.inner.hub.stopped().is_some() {
                return Err(unavailable(self.stopped()));
            }
            let now = self.now();
            let taken = self.inner.hub.take(queue, max, now, micros::after(now, visibility));
            for message in taken.given_back {
                self.post(Change::GiveBack(message)).map_err(unavailable)?;
            }
            if taken.wants_more {
                drop(self.inner.requests.send(Request::RoomWasMade));
            }
            if !taken.letters.is_empty() {
                return Ok(taken.letters.into_iter().map(received).collect());
            }
            match taken.next_end {
                None => arrival.await,
                Some(end) => drop(tokio::time::timeout(span(now, end), arrival).await),
            }
        }
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        match self.release(queue, receipt) {
            Some((id, _)) => self.post(Change::Delete(id)).map_err(unavailable),
            None => Ok(()),
        }
    }

    async fn give_back(&self, queue: QueueName, receipt: &str, delay: SignedDuration) -> Result<(), QueueError> {
        validate_delay(delay)?;
        let Some((id, attempt)) = self.release(queue, receipt) else { return Ok(()) };
        let due = micros::after(self.now(), delay);
        self.post(Change::GiveBack(GivenBack { queue, id, attempt, due })).map_err(unavailable)
    }
}

impl Store {
    /// Ends the lease that a receipt stands for, if it has not ended.
    fn release(&self, queue: QueueName, receipt: &str) -> Option<(i64, u32)> {
        let (id, attempt) = receipt.split_once('.')?;
        let (id, attempt) = (id.parse().ok()?, attempt.parse().ok()?);
        self.inner.hub.release(queue, id, attempt).then_some((id, attempt))
    }

    fn now(&self) -> i64 {
        micros::floor(self.inner.clock.now())
    }
}

fn received(letter: Letter) -> Received {
    Received {
        receipt: format!("{}.{}", letter.id, letter.attempt),
        body: letter.body,
        attempt: letter.attempt,
        sent_at: micros::read(letter.sent_at),
    }
}

fn span(now: i64, end: i64) -> Duration {
    Duration::from_micros(u64::try_from(end.saturating_sub(now)).unwrap_or(0))
}

fn unavailable(Stopped(reason): Stopped) -> QueueError {
    QueueError::Unavailable(reason)
}
