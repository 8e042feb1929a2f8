//! The storage ports on one `SQLite` file, made for one process.
//!
//! - One thread writes ([`writer`]); it applies requests in order, many in one transaction of the file ([`commit`]),
//!   answers ordered ones at once and durable ones after a sync that runs beside it ([`flusher`]).
//! - Strong reads see all that was applied: from memory what was in use lately ([`recent`]), the rest through the
//!   writer. Eventual reads and index queries see what has committed ([`readers`]).
//! - Messages that are ready are also in memory ([`hub`]); delayed ones and timers are on disk only.

mod alarms;
mod blobs;
mod checkpoint;
mod commit;
mod flusher;
mod hub;
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
mod timers;
mod transact;
mod writer;

use std::fs::File;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pawl_runtime::ports::{Blobs, Clock, Queue, QueueSource, Tables, Timers};
use tokio::sync::oneshot;

pub use open::OpenError;

use blobs::BlobDirectory;
use hub::Hub;
use readers::Readers;
use recent::Recent;
use request::{Change, Reply, Request};

/// With so many changes under way, senders of messages and setters of timers wait for the writer.
const FAR_AHEAD: usize = 4_096;

/// All of storage in one directory. Clones share it. The last clone that is dropped closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    requests: Sender<Request>,
    pending: Arc<AtomicUsize>,
    readers: Readers,
    hub: Arc<Hub>,
    recent: Arc<Recent>,
    clock: Arc<dyn Clock>,
    blobs: BlobDirectory,
    fsyncs: Arc<AtomicU64>,
    writer: Mutex<Option<(JoinHandle<()>, File)>>,
}

impl Store {
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
        self.inner.fsyncs.load(Ordering::Relaxed)
    }

    /// Waits until eventual reads show all that was written before, and what is due by the clock can be received.
    /// Nobody needs this but tests, and clocks that jump.
    pub async fn settle(&self) {
        let (reply, settled) = oneshot::channel();
        drop(self.inner.requests.send(Request::Settle(reply)));
        // No answer means that the store has stopped; then there is nothing to wait for.
        drop(settled.await);
    }

    /// Makes everything durable and closes the files; later calls fail. Dropping the last clone does the same.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Sends a change, waiting for nothing.
    fn post(&self, change: Change) -> Result<(), Stopped> {
        self.inner.pending.fetch_add(1, Ordering::Relaxed);
        self.inner.requests.send(Request::Change(change)).map_err(|_| self.stopped())
    }

    /// Sends a change whose answer only matters if the writer is far behind.
    async fn post_paced(&self, change: impl FnOnce(Option<Reply<()>>) -> Change) -> Result<(), Stopped> {
        if self.inner.pending.load(Ordering::Relaxed) < FAR_AHEAD {
            return self.post(change(None));
        }
        let (reply, handled) = oneshot::channel();
        self.post(change(Some(reply)))?;
        handled.await.map_err(|_| self.stopped())
    }

    fn stopped(&self) -> Stopped {
        Stopped(self.inner.hub.stopped().unwrap_or("the store is closing").to_owned())
    }
}

/// The store has stopped, and why.
struct Stopped(String);

impl Inner {
    fn close(&self) {
        let Some((thread, lock)) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        self.readers.stop();
        drop(self.requests.send(Request::Shutdown));
        drop(thread.join());
        drop(lock);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
