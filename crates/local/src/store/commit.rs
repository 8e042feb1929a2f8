//! Group commit: many requests share one transaction of the file, many waiters one sync.
//!
//! The transaction stays open while requests are applied and ordered ones answered. It commits when someone waits
//! for durability and the flusher is idle, when it has grown large, or when it has been open for a while.

use std::time::{Duration, Instant};

use pawl_runtime::ports::TableError;
use rusqlite::{Connection, ErrorCode, Result};

use super::checkpoint::Checkpointer;
use super::flusher::{Flusher, Waiter};
use super::request::Reply;

/// A transaction commits after so many changes at the latest, to bound what eventual reads lag behind.
const MAX_CHANGES: usize = 2_000;

/// A transaction that nobody waits for commits after this time.
const LINGER: Duration = Duration::from_millis(5);

/// What has committed while nobody waited is synced after this time at the latest.
const MAX_UNSYNCED: Duration = Duration::from_secs(1);

/// The open transaction and who waits for it.
pub(super) struct GroupCommit {
    flusher: Flusher,
    checkpointer: Checkpointer,
    open_since: Option<Instant>,
    changes: usize,
    unsynced_since: Option<Instant>,
    waiters: Vec<Waiter>,
}

impl GroupCommit {
    pub(super) fn new(flusher: Flusher, checkpointer: Checkpointer) -> Self {
        Self { flusher, checkpointer, open_since: None, changes: 0, unsynced_since: None, waiters: Vec::new() }
    }

    /// Opens the transaction if need be. Called before each change. False while another program holds a lock: then
    /// nothing is open and nothing was changed.
    pub(super) fn begin(&mut self, connection: &Connection) -> Result<bool> {
        if self.open_since.is_none() {
            match connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]) {
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Ok(false),
                begun => begun.map(|_| self.open_since = Some(Instant::now()))?,
            }
        }
        self.changes += 1;
        Ok(true)
    }

    /// Answers once all that was applied until now is durable.
    pub(super) fn answer_when_durable(
        &mut self,
        reply: Reply<std::result::Result<(), TableError>>,
        outcome: std::result::Result<(), TableError>,
    ) {
        self.waiters.push(Waiter { reply, outcome });
    }

    /// Commits and flushes as far as it is time. Called whenever the requests at hand were handled.
    pub(super) fn advance(&mut self, connection: &Connection) -> Result<()> {
        if !self.waiters.is_empty() && self.flusher.is_idle() {
            self.commit(connection)?;
            self.flush();
        }
        if self.changes >= MAX_CHANGES || self.open_since.is_some_and(|since| since.elapsed() >= LINGER) {
            self.commit(connection)?;
        }
        if self.unsynced_since.is_some_and(|since| since.elapsed() >= MAX_UNSYNCED) && self.flusher.is_idle() {
            self.flush();
        }
        Ok(())
    }

    /// Commits the open transaction, without waiting for the disk.
    pub(super) fn commit(&mut self, connection: &Connection) -> Result<()> {
        if self.open_since.take().is_none() {
            return Ok(());
        }
        self.changes = 0;
        connection.prepare_cached("COMMIT")?.execute([])?;
        self.unsynced_since.get_or_insert_with(Instant::now);
        self.checkpointer.watch();
        Ok(())
    }

    /// Copies the rest of the log, once the checkpointer did the bulk.
    pub(super) fn finish_checkpoint(&mut self, connection: &Connection) -> Result<()> {
        self.commit(connection)?;
        self.checkpointer.finish(connection)
    }

    /// How long the writer may wait for requests before [`Self::advance`] has something to do.
    pub(super) fn patience(&self) -> Option<Duration> {
        let lingering = self.open_since.map(|since| LINGER.saturating_sub(since.elapsed()));
        let unsynced = self.unsynced_since.map(|since| MAX_UNSYNCED.saturating_sub(since.elapsed()));
        lingering.into_iter().chain(unsynced).min()
    }

    /// Makes everything durable, answers everyone, and empties the log.
    pub(super) fn close(&mut self, connection: &Connection) -> Result<()> {
        self.commit(connection)?;
        self.flush();
        self.flusher.stop();
        self.checkpointer.stop(connection)
    }

    /// Ends the threads without promising anything to anyone.
    pub(super) fn abandon(&mut self) {
        self.waiters.clear();
        self.flusher.stop();
        self.checkpointer.join();
    }

    fn flush(&mut self) {
        self.unsynced_since = None;
        self.flusher.flush(std::mem::take(&mut self.waiters));
    }
}
