//! The thread that copies the log into the database, so that the log stays short.
//!
//! It does the bulk beside the writer, who is never blocked by a passive checkpoint; the writer then copies the few
//! frames that were added meanwhile, after which the next commit starts the log again from its beginning.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, Result};

use super::failure::Failure;
use super::request::Request;
use super::schema::open_writer;

/// From this length on (in pages of 4 KiB: 32 MiB) the log is copied.
const LONG: u64 = 8_192;

/// From this length on the writer waits for readers, so that the log can start again.
const TOO_LONG: u64 = 16 * LONG;

/// How long the writer waits for readers, and for other programs, when it must.
const PATIENCE: Duration = Duration::from_secs(5);

/// The syncs of one checkpoint: of the log before and of the database after copying.
const SYNCS: u64 = 2;

/// The writer's handle of the thread.
pub(super) struct Checkpointer {
    orders: Option<Sender<()>>,
    busy: bool,
    frames: Arc<AtomicU64>,
    fsyncs: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread on a connection of its own; it reports to the writer's channel.
    pub(super) fn start(
        file: &Path,
        writer: &mut Connection,
        fsyncs: Arc<AtomicU64>,
        report: (u64, Sender<Request>),
    ) -> std::result::Result<Self, super::OpenError> {
        let frames = Arc::new(AtomicU64::new(0));
        let seen = frames.clone();
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            seen.store(u64::try_from(pages).unwrap_or_default(), Ordering::Relaxed);
            Ok(())
        }))?;
        let connection = open_writer(file)?;
        connection.busy_timeout(PATIENCE)?;
        let (orders, work) = channel();
        let counted = fsyncs.clone();
        let thread = std::thread::Builder::new()
            .name("pawl-checkpoint".to_owned())
            .spawn(move || work_off(&connection, &work, &counted, &report))?;
        Ok(Self { orders: Some(orders), busy: false, frames, fsyncs, thread: Some(thread) })
    }

    /// Orders a checkpoint if the log has become long. Called after each commit.
    pub(super) fn watch(&mut self) {
        if self.busy || self.frames.load(Ordering::Relaxed) < LONG {
            return;
        }
        let orders = self.orders.as_ref().expect("the checkpointer runs until it is stopped");
        self.busy = orders.send(()).is_ok();
    }

    /// Copies what was added since the thread looked, on the writer's connection between two transactions.
    pub(super) fn finish(&mut self, writer: &Connection) -> Result<()> {
        self.busy = false;
        if self.frames.load(Ordering::Relaxed) < TOO_LONG {
            return checkpoint(writer, CheckpointMode::PASSIVE, &self.fsyncs);
        }
        patiently(writer, || checkpoint(writer, CheckpointMode::RESTART, &self.fsyncs))
    }

    /// Waits for the thread, then empties the log.
    pub(super) fn stop(&mut self, writer: &Connection) -> Result<()> {
        self.join();
        patiently(writer, || checkpoint(writer, CheckpointMode::TRUNCATE, &self.fsyncs))
    }

    /// Waits for the thread.
    pub(super) fn join(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn work_off(connection: &Connection, work: &Receiver<()>, fsyncs: &AtomicU64, report: &(u64, Sender<Request>)) {
    let (session, requests) = report;
    for () in work {
        let copy = || checkpoint(connection, CheckpointMode::PASSIVE, fsyncs);
        let report = match catch_unwind(AssertUnwindSafe(copy)) {
            Ok(Ok(())) => Request::Checkpointed,
            Ok(Err(error)) => Request::Fail(*session, error.into()),
            Err(panic) => Request::Fail(*session, Failure::panicked("thread that copies the log", &*panic)),
        };
        drop(requests.send(report));
    }
}

/// Does something on the writer's connection that may have to wait for others.
fn patiently<T>(writer: &Connection, work: impl FnOnce() -> Result<T>) -> Result<T> {
    writer.busy_timeout(PATIENCE)?;
    let done = work();
    writer.busy_timeout(Duration::ZERO)?;
    done
}

/// After the file failed: copies all of the log into the database and has the disk keep that, so that nothing depends
/// on a log of which nobody knows what the disk has of it.
pub(super) fn empty_log(writer: &Connection) -> Result<()> {
    patiently(writer, || {
        let busy: i64 = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 { Ok(()) } else { Err(busy_error()) }
    })
}

fn busy_error() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

/// A checkpoint that finds readers in its way does what it can; the rest comes with the next.
fn checkpoint(connection: &Connection, mode: CheckpointMode, fsyncs: &AtomicU64) -> Result<()> {
    fsyncs.fetch_add(SYNCS, Ordering::Relaxed);
    match connection.wal_checkpoint_v2(None::<&str>, mode) {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(()),
        Err(error) => Err(error),
    }
}
