//! The store as [`Queue`] and [`QueueSource`].

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::ports::rules::validate_delay;
use pawl_runtime::ports::{Message, Queue, QueueError, QueueName, QueueSource, Received};

use super::condition::{Refused, Session};
use super::hub::Receipt;
use super::lane::{Letter, Wanted};
use super::request::{Change, GivenBack, Request};
use super::{Store, micros};

#[async_trait]
impl Queue for Store {
    /// Returns once the messages are on their way to the writer: they are in order before whatever the caller does
    /// next, and nothing is received before it was applied.
    async fn send(&self, queue: QueueName, messages: Vec<Message>) -> Result<(), QueueError> {
        messages.iter().try_for_each(Message::validate)?;
        self.post_paced(|reply| Change::Send(queue, messages, reply)).await.map_err(unavailable)
    }

    fn room(&self) -> Result<(), QueueError> {
        self.inner.shared.hub.backlog.admit().map_err(QueueError::Full)
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
        self.receive_within(queue, max, visibility, None).await
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        match self.release(queue, receipt) {
            Some(receipt) => self.post_in(Change::Delete(receipt.id), of(receipt)).map_err(unavailable),
            None => Ok(()),
        }
    }

    async fn give_back(&self, queue: QueueName, receipt: &str, delay: SignedDuration) -> Result<(), QueueError> {
        self.return_message(queue, receipt, delay, false)
    }

    async fn put_off(&self, queue: QueueName, message: &Received, delay: SignedDuration) -> Result<(), QueueError> {
        self.return_message(queue, &message.receipt, delay, true)
    }
}

/// The receiving side for workers whose places are shared between groups.
pub(super) struct SharedSource {
    pub(super) store: Store,
    pub(super) places: usize,
}

#[async_trait]
impl QueueSource for SharedSource {
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
    ) -> Result<Vec<Received>, QueueError> {
        self.store.receive_within(queue, max, visibility, Some(self.places)).await
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.store.delete(queue, receipt).await
    }

    async fn give_back(&self, queue: QueueName, receipt: &str, delay: SignedDuration) -> Result<(), QueueError> {
        self.store.give_back(queue, receipt, delay).await
    }

    async fn put_off(&self, queue: QueueName, message: &Received, delay: SignedDuration) -> Result<(), QueueError> {
        self.store.put_off(queue, message, delay).await
    }
}

impl Store {
    /// Receives messages; while the store is out of service it waits.
    async fn receive_within(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
        places: Option<usize>,
    ) -> Result<Vec<Received>, QueueError> {
        if max == 0 {
            return Err(QueueError::Invalid("expected to receive at most 1 or more, found 0".to_owned()));
        }
        let shared = &self.inner.shared;
        loop {
            let arrival = shared.hub.arrivals(queue).notified();
            if shared.standing.is_ended() {
                return Err(unavailable(self.refused()));
            }
            if !shared.standing.is_ready() {
                arrival.await;
                continue;
            }
            let now = self.now();
            let wanted = Wanted { max, places, now, until: micros::after(now, visibility) };
            let (session, taken) = shared.hub.take(queue, &wanted);
            for message in taken.given_back {
                let change = Change::GiveBack(message);
                self.post_in(change, Session { number: session, patient: true }).map_err(unavailable)?;
            }
            if taken.wants_more {
                drop(shared.requests.send(Request::RoomWasMade));
            }
            if !taken.letters.is_empty() {
                return Ok(taken.letters.into_iter().map(|letter| received(letter, session)).collect());
            }
            match taken.next_end {
                None => arrival.await,
                Some(end) => drop(tokio::time::timeout(span(now, end), arrival).await),
            }
        }
    }

    /// Ends a lease and lets its message wait; the attempt of one that is put off does not count.
    fn return_message(
        &self,
        queue: QueueName,
        receipt: &str,
        delay: SignedDuration,
        put_off: bool,
    ) -> Result<(), QueueError> {
        validate_delay(delay)?;
        let Some(receipt) = self.release(queue, receipt) else { return Ok(()) };
        let due = micros::after(self.now(), delay);
        let attempt = receipt.attempt - u32::from(put_off);
        let given_back = GivenBack { queue, id: receipt.id, attempt, put_off, due };
        self.post_in(Change::GiveBack(given_back), of(receipt)).map_err(unavailable)
    }

    /// Ends the lease that a receipt stands for, if it has not ended.
    fn release(&self, queue: QueueName, receipt: &str) -> Option<Receipt> {
        let (session, rest) = receipt.split_once('.')?;
        let (id, attempt) = rest.split_once('.')?;
        let receipt = Receipt { session: session.parse().ok()?, id: id.parse().ok()?, attempt: attempt.parse().ok()? };
        self.inner.shared.hub.release(queue, receipt).then_some(receipt)
    }

    fn now(&self) -> i64 {
        micros::floor(self.inner.shared.clock.now())
    }
}

/// What happens to a message belongs to the session in which it was received.
fn of(receipt: Receipt) -> Session {
    Session { number: receipt.session, patient: true }
}

fn received(letter: Letter, session: u64) -> Received {
    Received {
        receipt: format!("{session}.{}.{}", letter.id, letter.attempt),
        body: letter.body,
        attempt: letter.attempt,
        put_off: letter.put_off,
        group: None,
        sent_at: micros::read(letter.sent_at),
    }
}

fn span(now: i64, end: i64) -> Duration {
    Duration::from_micros(u64::try_from(end.saturating_sub(now)).unwrap_or(0))
}

fn unavailable(Refused(reason): Refused) -> QueueError {
    QueueError::Unavailable(reason)
}
