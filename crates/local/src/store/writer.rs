//! The one thread that writes.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use pawl_runtime::ports::{Clock, Durability, QueueName, TableError, Transaction};
use rusqlite::{Connection, Result};

use super::alarms::Alarms;
use super::commit::GroupCommit;
use super::hub::Hub;
use super::messages::{self, Messages};
use super::micros;
use super::purge::Purge;
use super::read::Reading;
use super::recent::Recent;
use super::request::{Change, Reply, Request, answer};
use super::rows::ItemStatements;
use super::transact::{Outcome, transact};

/// Most requests that are handled before it is asked whether to commit.
const BATCH: usize = 256;

/// The longest wait without looking at the clock, which may be set.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Everything that the thread owns.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) requests: Receiver<Request>,
    /// How many changes were sent and not yet handled.
    pub(super) pending: Arc<AtomicUsize>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hub: Arc<Hub>,
    pub(super) recent: Arc<Recent>,
    pub(super) statements: ItemStatements,
    pub(super) messages: Messages,
    pub(super) alarms: Alarms,
    pub(super) group: GroupCommit,
    pub(super) purge: Purge,
}

/// Why the thread ends.
enum End {
    Shutdown,
    Failed(String),
}

impl From<rusqlite::Error> for End {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(format!("the database failed: {error}"))
    }
}

impl Writer {
    /// Works until the store is closed or the file fails. After an error of the file nothing is known of the open
    /// transaction, so the store stops: callers get errors until the file is opened again.
    pub(super) fn run(mut self) {
        let end = match self.work() {
            End::Shutdown => self.group.close(&self.connection).map_or_else(End::from, |()| End::Shutdown),
            failed @ End::Failed(_) => failed,
        };
        match end {
            End::Shutdown => self.hub.stop("the store is closed"),
            End::Failed(reason) => {
                tracing::error!(reason, "storage stopped; restart once the cause is mended");
                self.hub.stop(&reason);
                self.group.abandon();
            }
        }
    }

    fn work(&mut self) -> End {
        loop {
            match self.round() {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(end)) => return end,
                Err(error) => return End::from(error),
            }
        }
    }

    /// Handles the requests at hand, moves what is due, commits if it is time, and waits for the next request.
    fn round(&mut self) -> Result<ControlFlow<End>> {
        for _ in 0..BATCH {
            let flow = match self.requests.try_recv() {
                Ok(request) => self.handle(request)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => ControlFlow::Break(End::Shutdown),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        self.move_due()?;
        self.group.advance(&self.connection)?;
        match self.requests.recv_timeout(self.patience()) {
            Ok(request) => self.handle(request),
            Err(RecvTimeoutError::Disconnected) => Ok(ControlFlow::Break(End::Shutdown)),
            Err(RecvTimeoutError::Timeout) => {
                let now = self.now();
                self.purge.advance(&self.connection, &mut self.group, now)?;
                Ok(ControlFlow::Continue(()))
            }
        }
    }

    fn handle(&mut self, request: Request) -> Result<ControlFlow<End>> {
        match request {
            Request::Read(read) => read.run(&Reading {
                connection: &self.connection,
                statements: &self.statements,
                recent: Some(&self.recent),
                now: self.now(),
            })?,
            Request::Change(change) => {
                self.pending.fetch_sub(1, Ordering::Relaxed);
                self.group.begin(&self.connection)?;
                self.change(change)?;
            }
            Request::RoomWasMade => self.messages.room_was_made(),
            Request::Settle(reply) => self.settle(reply)?,
            Request::Flushed => {}
            Request::Checkpointed => self.group.finish_checkpoint(&self.connection)?,
            Request::Fail(reason) => return Ok(ControlFlow::Break(End::Failed(reason))),
            Request::Shutdown => return Ok(ControlFlow::Break(End::Shutdown)),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn change(&mut self, change: Change) -> Result<()> {
        let connection = &self.connection;
        match change {
            Change::Transact(transaction, reply) => self.transact(transaction, reply)?,
            Change::Send(queue, messages, reply) => {
                self.messages.send(connection, queue, messages, self.now())?;
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
    /// the refusal tells of items that must not be lost after it was heard.
    fn transact(&mut self, transaction: Transaction, reply: Reply<std::result::Result<(), TableError>>) -> Result<()> {
        let (durability, now) = (transaction.durability, self.now());
        let outcome = match transact(&self.connection, &self.statements, transaction, now)? {
            Outcome::Applied { messages, news } => {
                self.recent.learn(news);
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

    fn move_due(&mut self) -> Result<()> {
        let now = self.now();
        if self.next_due().is_none_or(|due| now < due) {
            return Ok(());
        }
        self.group.begin(&self.connection)?;
        self.alarms.fire(&self.connection, &mut self.messages, now)?;
        self.messages.move_due(&self.connection, now)
    }

    fn settle(&mut self, reply: Reply<()>) -> Result<()> {
        while self.next_due().is_some_and(|due| due <= self.now()) {
            self.move_due()?;
        }
        self.group.commit(&self.connection)?;
        self.hub.wake_all();
        answer(reply, ());
        Ok(())
    }

    /// How long there is nothing to do unless a request comes.
    fn patience(&self) -> Duration {
        let until_due = self.next_due().map(|due| {
            let micros = due.saturating_sub(self.now());
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        });
        [self.group.patience(), until_due].into_iter().flatten().fold(LONGEST_WAIT, Duration::min)
    }

    fn next_due(&self) -> Option<i64> {
        self.alarms.next_due().into_iter().chain(self.messages.next_due()).min()
    }

    fn now(&self) -> i64 {
        micros::floor(self.clock.now())
    }
}

fn answer_if_asked(reply: Option<Reply<()>>) {
    if let Some(reply) = reply {
        answer(reply, ());
    }
}
