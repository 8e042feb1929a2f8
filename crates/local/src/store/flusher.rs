//! The thread that makes commits durable.
//!
//! A commit writes its frames to the log (`-wal`) without waiting for the disk. The flusher then syncs the log and
//! only after that answers those who wait for durability, while the writer already applies the next batch. Why an
//! answer keeps its promise:
//!
//! - Frames are appended in commit order, each with a checksum over all before it. After a loss of power the file
//!   is what its longest valid prefix says, up to a commit. So nothing survives without what came before it, and
//!   what lies before the end of the log as it was when a sync began is part of every later prefix.
//! - The sync begins after the commit's last write returned, and covers the file whatever descriptor wrote to it.
//! - A checkpoint with `synchronous = NORMAL` syncs the log before it copies pages into the database, and syncs the
//!   database before the log may start again from its beginning; starting again, it syncs the new header before
//!   frames follow. A commit whose frames were overwritten is therefore durable in the database.
//! - The log's name is durable because the directory is synced once the log was created, before anything is
//!   answered; it is never deleted while the store is open.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use pawl_runtime::ports::TableError;

use super::failure::Failure;
use super::request::{Reply, Request};

/// Makes the disk keep a file. Tests let it fail.
pub(super) type Sync = Arc<dyn Fn(&File) -> std::io::Result<()> + Send + std::marker::Sync>;

/// The log of a session, and how it is synced.
pub(super) struct Log {
    pub(super) file: File,
    pub(super) sync: Sync,
    pub(super) session: u64,
}

/// Someone who waits for durability, with the answer to give then.
pub(super) struct Waiter {
    pub(super) reply: Reply<Result<(), TableError>>,
    pub(super) outcome: Result<(), TableError>,
}

/// Whether a sync is under way, and whether the writer wants to hear of its end.
#[derive(Default)]
struct Gate {
    busy: AtomicBool,
    awaited: AtomicBool,
}

/// The writer's handle of the thread.
pub(super) struct Flusher {
    batches: Option<Sender<Vec<Waiter>>>,
    gate: Arc<Gate>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread on the log; it reports to the writer's channel.
    pub(super) fn start(log: Log, fsyncs: Arc<AtomicU64>, requests: Sender<Request>) -> std::io::Result<Self> {
        let (batches, work) = channel();
        let gate = Arc::new(Gate::default());
        let flushing = Flushing { log, fsyncs, requests, gate: gate.clone() };
        let thread =
            std::thread::Builder::new().name("pawl-flush".to_owned()).spawn(move || flushing.work_off(&work))?;
        Ok(Self { batches: Some(batches), gate, thread: Some(thread) })
    }

    /// Whether a batch can be taken now; if not, [`Request::Flushed`] will tell when.
    pub(super) fn is_idle(&self) -> bool {
        if !self.gate.busy.load(Ordering::SeqCst) {
            return true;
        }
        self.gate.awaited.store(true, Ordering::SeqCst);
        // It may have become idle before it could see that it is awaited.
        !self.gate.busy.load(Ordering::SeqCst)
    }

    /// Syncs all that has committed and answers the waiters. Only when idle.
    pub(super) fn flush(&self, waiters: Vec<Waiter>) {
        self.gate.busy.store(true, Ordering::SeqCst);
        let batches = self.batches.as_ref().expect("the flusher runs until it is stopped");
        // It is gone only after it reported a failure, which the writer will find among its requests.
        drop(batches.send(waiters));
    }

    /// Finishes what is under way.
    pub(super) fn stop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Flushing {
    log: Log,
    fsyncs: Arc<AtomicU64>,
    requests: Sender<Request>,
    gate: Arc<Gate>,
}

impl Flushing {
    /// Works until the writer stops it, or a sync fails. Then those who wait get no answer, which tells them that
    /// nobody knows, and the writer ends the session.
    fn work_off(&self, work: &Receiver<Vec<Waiter>>) {
        let failure = match catch_unwind(AssertUnwindSafe(|| self.run(work))) {
            Ok(Ok(())) => return,
            // After a failed sync the kernel may have dropped the pages: a second try proves nothing.
            Ok(Err(error)) => Failure::passing(format!("the log could not be synced: {error}")),
            Err(panic) => Failure::panicked("thread that syncs", &*panic),
        };
        drop(self.requests.send(Request::Fail(self.log.session, failure)));
    }

    fn run(&self, work: &Receiver<Vec<Waiter>>) -> std::io::Result<()> {
        for waiters in work {
            (self.log.sync)(&self.log.file)?;
            self.fsyncs.fetch_add(1, Ordering::Relaxed);
            self.gate.busy.store(false, Ordering::SeqCst);
            if self.gate.awaited.swap(false, Ordering::SeqCst) {
                drop(self.requests.send(Request::Flushed));
            }
            for Waiter { reply, outcome } in waiters {
                drop(reply.send(outcome));
            }
        }
        Ok(())
    }
}
