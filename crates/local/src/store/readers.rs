//! The threads that read what has committed, beside the writer.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pawl_runtime::ports::Clock;
use rusqlite::Connection;

use super::OpenError;
use super::micros;
use super::read::{Read, Reading};
use super::rows::ItemStatements;
use super::schema::open_reader;

/// Enough to keep a long page from delaying a short read.
const THREADS: usize = 2;

/// The pool's handle.
pub(super) struct Readers {
    lanes: Mutex<Vec<Sender<Read>>>,
    next: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts the threads, each with its own connection.
    pub(super) fn start(file: &Path, clock: &Arc<dyn Clock>) -> Result<Self, OpenError> {
        let (mut lanes, mut threads) = (Vec::new(), Vec::new());
        for number in 1..=THREADS {
            let (sender, work) = channel();
            let (connection, clock) = (open_reader(file)?, clock.clone());
            let name = format!("pawl-read-{number}");
            let thread = std::thread::Builder::new().name(name).spawn(move || work_off(&connection, &work, &*clock))?;
            lanes.push(sender);
            threads.push(thread);
        }
        Ok(Self { lanes: Mutex::new(lanes), next: AtomicUsize::new(0), threads: Mutex::new(threads) })
    }

    /// Hands a read to the next thread in turn; after the end it is dropped, which its caller sees.
    pub(super) fn send(&self, read: Read) {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if !lanes.is_empty() {
            let lane = self.next.fetch_add(1, Ordering::Relaxed) % lanes.len();
            drop(lanes[lane].send(read));
        }
    }

    /// Ends the threads once they did what they were asked, and closes their connections.
    pub(super) fn stop(&self) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            drop(thread.join());
        }
    }
}

fn work_off(connection: &Connection, work: &Receiver<Read>, clock: &dyn Clock) {
    let statements = ItemStatements::new();
    for read in work {
        let now = micros::floor(clock.now());
        let reading = Reading { connection, statements: &statements, recent: None, now };
        if let Err(error) = read.run(&reading) {
            tracing::warn!(%error, "an eventual read failed");
        }
    }
}
