//! The storage ports on one `SQLite` file, made for one process.
//!
//! - One thread writes ([`writer`]); it applies requests in order, many in one transaction of the file ([`commit`]),
//!   answers ordered ones at once and durable ones after a sync that runs beside it ([`flusher`]).
//! - The same thread keeps the store in service ([`keeper`]): after a failure of the file it opens it again.
//! - Strong reads see all that was applied: from memory what was in use lately ([`recent`]), the rest through the
//!   writer. Eventual reads and index queries see what has committed ([`readers`]).
//! - Messages that are ready are also in memory, fair between workflows ([`hub`], [`lane`]); delayed ones and timers are on disk only.

mod alarms;
mod backlog;
mod blobs;
mod checkpoint;
mod commit;
mod condition;
mod failure;
mod flusher;
mod hub;
mod keeper;
mod lane;
mod messages;
mod micros;
mod open;
mod purge;
mod query;
mod queue;
mod read;
mod readers;
mod recent;
mod request;
mod rows;
mod schema;
mod tables;
#[cfg(test)]
mod tests;
mod timers;
mod transact;
mod writer;

use std::fs::File;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pawl_runtime::ports::{Blobs, Queue, QueueSource, Tables, Timers};
use tokio::sync::{oneshot, watch};

pub use backlog::BacklogLimits;
pub use condition::Condition;
pub use open::OpenError;
pub(crate) use open::private;

use blobs::BlobDirectory;
use condition::{Refused, Session};
use keeper::Shared;
use request::{Change, Reply, Request};

/// With so many changes under way, senders of messages and setters of timers wait for the writer.
const FAR_AHEAD: usize = 4_096;

/// All of storage in one directory. Clones share it. The last clone that is dropped closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    blobs: BlobDirectory,
    writer: Mutex<Option<(JoinHandle<()>, File)>>,
}

impl Store {
    /// Where its files are.
    pub(crate) fn directory(&self) -> &std::path::Path {
        &self.inner.shared.directory
    }

    /// Its tables.
    pub fn tables(&self) -> Arc<dyn Tables> {
        Arc::new(self.clone())
    }

    /// The sending side of its queues.
    pub fn queue(&self) -> Arc<dyn Queue> {
        Arc::new(self.clone())
    }

    /// The receiving side of its queues.
    pub fn source(&self) -> Arc<dyn QueueSource> {
        Arc::new(self.clone())
    }

    /// The receiving side for workers that have so many places: groups of messages, which are workflows, share them.
    pub fn shared_source(&self, places: usize) -> Arc<dyn QueueSource> {
        Arc::new(queue::SharedSource { store: self.clone(), places })
    }

    /// Its timers.
    pub fn timers(&self) -> Arc<dyn Timers> {
        Arc::new(self.clone())
    }

    /// Its blobs.
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::new(self.clone())
    }

    /// How often it has made the disk sync since it was opened.
    pub fn fsyncs(&self) -> u64 {
        self.inner.shared.fsyncs.load(Ordering::Relaxed)
    }

    /// Whether it is in service, to look at and to wait for.
    pub fn condition(&self) -> watch::Receiver<Condition> {
        self.inner.shared.standing.watch()
    }

    /// How often the file was opened, from 1. Another number means that what was read before may never have been.
    pub fn session(&self) -> u64 {
        self.inner.shared.standing.session()
    }

    /// Runs work that belongs together: reads, and writes that follow from them. If the file fails meanwhile, the rest
    /// of the work is refused even after the store is in service again, for what it has read may be lost. Patient work
    /// waits while another program holds a lock; other work is refused.
    pub async fn in_session<T>(&self, patient: bool, work: impl Future<Output = T>) -> T {
        self.inner.shared.standing.in_session(patient, work).await
    }

    /// Waits until eventual reads show all that was written before, and what is due by the clock can be received.
    /// Nobody needs this but tests, and clocks that jump.
    pub async fn settle(&self) {
        let (reply, settled) = oneshot::channel();
        drop(self.inner.shared.requests.send(Request::Settle(reply)));
        // No answer means that the store has stopped; then there is nothing to wait for.
        drop(settled.await);
    }

    /// Makes everything durable and closes the files; later calls fail. Dropping the last clone does the same.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Sends a change, waiting for nothing.
    fn post(&self, change: Change) -> Result<(), Refused> {
        let session = self.inner.shared.standing.admit()?;
        self.post_in(change, session)
    }

    /// Sends a change that belongs to a session.
    fn post_in(&self, change: Change, session: Session) -> Result<(), Refused> {
        let shared = &self.inner.shared;
        shared.pending.fetch_add(1, Ordering::Relaxed);
        shared.requests.send(Request::Change(change, session)).map_err(|_| self.refused())
    }

    /// Sends a change whose answer only matters if the writer is far behind.
    async fn post_paced(&self, change: impl FnOnce(Option<Reply<()>>) -> Change) -> Result<(), Refused> {
        if self.inner.shared.pending.load(Ordering::Relaxed) < FAR_AHEAD {
            return self.post(change(None));
        }
        let (reply, handled) = oneshot::channel();
        self.post(change(Some(reply)))?;
        handled.await.map_err(|_| self.refused())
    }

    fn refused(&self) -> Refused {
        Refused(self.inner.shared.standing.reason())
    }
}

impl Inner {
    fn close(&self) {
        let Some((thread, lock)) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        drop(self.shared.requests.send(Request::Shutdown));
        drop(thread.join());
        self.shared.readers.stop();
        drop(lock);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
