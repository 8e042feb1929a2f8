//! The thread that copies the log into the database, so that the log stays short.
//!
//! It does the bulk beside the writer, who is never blocked by a passive checkpoint; the writer then copies the few
//! frames that were added meanwhile, after which the next commit starts the log again from its beginning.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, Result};

use super::request::Request;
use super::schema::open_writer;

/// From this length on (in pages of 4 KiB: 32 MiB) the log is copied.
const LONG: u64 = 8_192;

/// From this length on the writer waits for readers, so that the log can start again.
const TOO_LONG: u64 = 16 * LONG;

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
        requests: Sender<Request>,
    ) -> std::result::Result<Self, super::OpenError> {
        let frames = Arc::new(AtomicU64::new(0));
        let seen = frames.clone();
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            seen.store(u64::try_from(pages).unwrap_or_default(), Ordering::Relaxed);
            Ok(())
        }))?;
        let connection = open_writer(file)?;
        let (orders, work) = channel();
        let counted = fsyncs.clone();
        let thread = std::thread::Builder::new()
            .name("pawl-checkpoint".to_owned())
            .spawn(move || work_off(&connection, &work, &counted, &requests))?;
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
        let too_long = self.frames.load(Ordering::Relaxed) >= TOO_LONG;
        let mode = if too_long { CheckpointMode::RESTART } else { CheckpointMode::PASSIVE };
        checkpoint(writer, mode, &self.fsyncs)
    }

    /// Waits for the thread, then empties the log.
    pub(super) fn stop(&mut self, writer: &Connection) -> Result<()> {
        self.join();
        checkpoint(writer, CheckpointMode::TRUNCATE, &self.fsyncs)
    }

    /// Waits for the thread.
    pub(super) fn join(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn work_off(connection: &Connection, work: &Receiver<()>, fsyncs: &AtomicU64, requests: &Sender<Request>) {
    for () in work {
        let report = match checkpoint(connection, CheckpointMode::PASSIVE, fsyncs) {
            Ok(()) => Request::Checkpointed,
            Err(error) => Request::Fail(format!("the log could not be copied into the database: {error}")),
        };
        drop(requests.send(report));
    }
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
