//! The writer: one thread, one session of the file at a time.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use pawl_runtime::ports::{Durability, QueueName, TableError, Transaction};
use rusqlite::{Connection, Result};

use super::alarms::Alarms;
use super::commit::GroupCommit;
use super::condition::Session;
use super::failure::Failure;
use super::keeper::Shared;
use super::messages::{self, Messages};
use super::micros;
use super::purge::Purge;
use super::read::Reading;
use super::readers::try_to_answer;
use super::request::{Change, Reply, Request, answer};
use super::rows::ItemStatements;
use super::transact::{Outcome, transact};

/// Most requests that are handled before it is asked whether to commit.
const BATCH: usize = 256;

/// The longest wait without looking at the clock, which may be set.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How often a lock of another program is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// A lock of another program that lasts longer is told, and requests are refused meanwhile.
const LOCK_GRACE: Duration = Duration::from_millis(500);

/// What requests are refused with meanwhile.
const LOCKED: &str = "another program holds a lock on the database";

/// Everything that the thread owns in one session.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) session: u64,
    pub(super) connection: Connection,
    pub(super) statements: ItemStatements,
    pub(super) messages: Messages,
    pub(super) alarms: Alarms,
    pub(super) group: GroupCommit,
    pub(super) purge: Purge,
    /// Changes that wait for the lock of another program to end, in order.
    pub(super) held: VecDeque<(Change, Session)>,
    /// Since when another program holds a lock.
    pub(super) locked_since: Option<Instant>,
}

/// Why a session ends.
pub(super) enum End {
    Shutdown,
    Failed(Failure),
}

impl From<rusqlite::Error> for End {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Writer {
    /// Works until the store is closed or the file fails. After an error of the file nothing is known of the open
    /// transaction: the session is over.
    pub(super) fn work(&mut self, requests: &Receiver<Request>) -> End {
        loop {
            match self.round(requests) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(end)) => return end,
                Err(error) => return End::from(error),
            }
        }
    }

    /// Handles the requests at hand, moves what is due, commits if it is time, and waits for the next request.
    fn round(&mut self, requests: &Receiver<Request>) -> Result<ControlFlow<End>> {
        for _ in 0..BATCH {
            let flow = match requests.try_recv() {
                Ok(request) => self.handle(request)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => ControlFlow::Break(End::Shutdown),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        if self.locked_since.is_some() {
            self.apply_held()?;
        }
        self.remove_expired()?;
        self.move_due()?;
        self.group.advance(&self.connection)?;
        match requests.recv_timeout(self.patience()) {
            Ok(request) => self.handle(request),
            Err(RecvTimeoutError::Disconnected) => Ok(ControlFlow::Break(End::Shutdown)),
            Err(RecvTimeoutError::Timeout) => Ok(ControlFlow::Continue(())),
        }
    }

    fn handle(&mut self, request: Request) -> Result<ControlFlow<End>> {
        match request {
            Request::Read(read) => {
                let reading = Reading {
                    connection: &self.connection,
                    statements: &self.statements,
                    recent: Some(&self.shared.recent),
                    now: self.now(),
                };
                if let Some(failure) = try_to_answer(read, &reading) {
                    return Ok(ControlFlow::Break(End::Failed(failure)));
                }
            }
            Request::Change(change, session) => {
                self.shared.pending.fetch_sub(1, Ordering::Relaxed);
                // Of a session that is over: what it was decided on may be lost.
                if session.number == self.session {
                    self.take(change, session)?;
                }
            }
            Request::RoomWasMade => self.messages.room_was_made(),
            Request::Settle(reply) => self.settle(reply)?,
            Request::Checkpointed => self.group.finish_checkpoint(&self.connection)?,
            Request::Fail(session, failure) if session == self.session => {
                return Ok(ControlFlow::Break(End::Failed(failure)));
            }
            // The flusher is idle again, or a session failed that is over.
            Request::Flushed | Request::Fail(..) => {}
            Request::Shutdown => return Ok(ControlFlow::Break(End::Shutdown)),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Applies a change, unless it must wait for the lock of another program.
    fn take(&mut self, change: Change, session: Session) -> Result<()> {
        if self.held.is_empty() && self.begin()? {
            return self.change(change);
        }
        self.held.push_back((change, session));
        Ok(())
    }

    /// Opens the transaction if need be; false while another program holds a lock. Then nothing is lost: what was
    /// applied has committed. A lock that lasts is told, and those who do not wait are refused.
    fn begin(&mut self) -> Result<bool> {
        let begun = self.group.begin(&self.connection)?;
        let standing = &self.shared.standing;
        match (begun, self.locked_since) {
            (true, None) => {}
            (true, Some(_)) => {
                self.locked_since = None;
                if !standing.is_ready() {
                    tracing::info!("the lock is gone: storage is in service again");
                    standing.ready();
                    self.shared.hub.wake_all();
                }
            }
            (false, None) => self.locked_since = Some(Instant::now()),
            (false, Some(since)) if since.elapsed() < LOCK_GRACE => {}
            (false, Some(_)) => {
                if standing.is_ready() {
                    tracing::error!("storage waits: {LOCKED}; it goes on by itself once the lock is gone");
                    standing.locked(LOCKED);
                }
                self.refuse_impatient();
            }
        }
        Ok(begun)
    }

    fn apply_held(&mut self) -> Result<()> {
        while self.begin()? {
            let Some((change, _)) = self.held.pop_front() else { return Ok(()) };
            self.change(change)?;
        }
        Ok(())
    }

    /// Refuses the transactions of those who do not wait. They were not applied.
    fn refuse_impatient(&mut self) {
        for (change, session) in std::mem::take(&mut self.held) {
            match change {
                Change::Transact(_, reply) if !session.patient => {
                    answer(reply, Err(TableError::Unavailable(LOCKED.to_owned())));
                }
                change => self.held.push_back((change, session)),
            }
        }
    }

    fn change(&mut self, change: Change) -> Result<()> {
        let connection = &self.connection;
        match change {
            Change::Transact(transaction, reply) => self.transact(transaction, reply)?,
            Change::Send(queue, messages, reply) => {
                let now = self.now();
                self.messages.send(connection, queue, messages, now)?;
                answer_if_asked(reply);
            }
            Change::Delete(id) => messages::delete(connection, id)?,
            Change::GiveBack(message) => self.messages.give_back(connection, &message)?,
            Change::SetTimer(timer, reply) => {
                self.alarms.set(connection, &timer)?;
                answer_if_asked(reply);
            }
            Change::CancelTimer(name) => Alarms::cancel(connection, &name)?,
        }
        Ok(())
    }

    /// Applies a transaction and answers it, at once if it is ordered. A durable one that was refused also waits:
    /// the refusal tells of items that must not be lost after it was told.
    fn transact(&mut self, transaction: Transaction, reply: Reply<std::result::Result<(), TableError>>) -> Result<()> {
        let (durability, now) = (transaction.durability, self.now());
        let outcome = match transact(&self.connection, &self.statements, transaction, now)? {
            Outcome::Applied { messages, news } => {
                self.shared.recent.learn(news);
                if !messages.is_empty() {
                    self.messages.send(&self.connection, QueueName::Events, messages, now)?;
                }
                Ok(())
            }
            Outcome::Refused(error) => Err(error),
        };
        match durability {
            Durability::Ordered => answer(reply, outcome),
            Durability::Durable => self.group.answer_when_durable(reply, outcome),
        }
        Ok(())
    }

    fn remove_expired(&mut self) -> Result<()> {
        if self.locked_since.is_some() {
            return Ok(());
        }
        let now = self.now();
        let messages = self.purge.advance(&self.connection, &mut self.group, now)?;
        if messages.is_empty() {
            return Ok(());
        }
        self.messages.send(&self.connection, QueueName::Events, messages, now)
    }

    fn move_due(&mut self) -> Result<()> {
        let now = self.now();
        let is_due = self.next_due().is_some_and(|due| due <= now) || self.messages.has_room();
        if !is_due || !self.begin()? {
            return Ok(());
        }
        self.alarms.fire(&self.connection, &mut self.messages, now)?;
        self.messages.move_due(&self.connection, now)
    }

    fn settle(&mut self, reply: Reply<()>) -> Result<()> {
        self.remove_expired()?;
        while self.locked_since.is_none()
            && (self.next_due().is_some_and(|due| due <= self.now()) || self.messages.has_room())
        {
            self.move_due()?;
        }
        self.group.commit(&self.connection)?;
        self.shared.hub.wake_all();
        answer(reply, ());
        Ok(())
    }

    /// How long there is nothing to do unless a request comes.
    fn patience(&self) -> Duration {
        if self.locked_since.is_some() {
            return LOCK_RETRY;
        }
        let until_due = self.next_due().map(|due| {
            let micros = due.saturating_sub(self.now());
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        });
        let until_room = self.messages.has_room().then_some(Duration::ZERO);
        let until_purge = Duration::from_micros(u64::try_from(self.purge.patience(self.now())).unwrap_or(0));
        [self.group.patience(), until_due, until_room, Some(until_purge)]
            .into_iter()
            .flatten()
            .fold(LONGEST_WAIT, Duration::min)
    }

    fn next_due(&self) -> Option<i64> {
        self.alarms.next_due().into_iter().chain(self.messages.next_due()).min()
    }

    fn now(&self) -> i64 {
        micros::floor(self.shared.clock.now())
    }
}

fn answer_if_asked(reply: Option<Reply<()>>) {
    if let Some(reply) = reply {
        answer(reply, ());
    }
}
