//! The threads that read what has committed, beside the writer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pawl_runtime::ports::Clock;
use rusqlite::Connection;

use super::OpenError;
use super::failure::{Failure, concerns_file};
use super::micros;
use super::read::{Read, Reading};
use super::request::Request;
use super::rows::ItemStatements;
use super::schema::open_reader;

/// Enough to keep a long page from delaying a short read.
const THREADS: usize = 2;

/// The pool's handle.
#[derive(Default)]
pub(super) struct Readers {
    lanes: Mutex<Vec<Sender<Read>>>,
    next: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts the threads of a session, each with its own connection. They report failures of the file.
    pub(super) fn start(
        &self,
        file: &Path,
        clock: &Arc<dyn Clock>,
        report: &(u64, Sender<Request>),
    ) -> Result<(), OpenError> {
        let (mut lanes, mut threads) = (Vec::new(), Vec::new());
        for number in 1..=THREADS {
            let (sender, work) = channel();
            let reader = Reader { connection: open_reader(file)?, clock: clock.clone(), report: report.clone() };
            let name = format!("pawl-read-{number}");
            let thread = std::thread::Builder::new().name(name).spawn(move || reader.work_off(&work))?;
            lanes.push(sender);
            threads.push(thread);
        }
        *self.lanes.lock().unwrap_or_else(PoisonError::into_inner) = lanes;
        *self.threads.lock().unwrap_or_else(PoisonError::into_inner) = threads;
        Ok(())
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

struct Reader {
    connection: Connection,
    clock: Arc<dyn Clock>,
    report: (u64, Sender<Request>),
}

impl Reader {
    fn work_off(&self, work: &Receiver<Read>) {
        let statements = ItemStatements::new();
        for read in work {
            let now = micros::floor(self.clock.now());
            let reading = Reading { connection: &self.connection, statements: &statements, recent: None, now };
            if let Some(failure) = try_to_answer(read, &reading) {
                let (session, requests) = &self.report;
                drop(requests.send(Request::Fail(*session, failure)));
            }
        }
    }
}

/// Answers a read. Whoever asks for what cannot be read gets no answer, which says that the store could not; only a
/// failure of the file itself is one for all.
pub(super) fn try_to_answer(read: Read, reading: &Reading<'_>) -> Option<Failure> {
    match catch_unwind(AssertUnwindSafe(|| read.run(reading))) {
        Ok(Ok(())) => None,
        Ok(Err(error)) if concerns_file(&error) => Some(error.into()),
        Ok(Err(error)) => {
            tracing::error!("a read failed: {error}");
            None
        }
        Err(panic) => {
            tracing::error!("a read failed: {}", Failure::panicked("thread that reads", &*panic).why);
            None
        }
    }
}
