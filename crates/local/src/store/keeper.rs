//! Keeps the store in service: opens the file, lets the writer work, and opens it again after a failure.
//!
//! A failure ends the session. What was not durable may be lost, as in a crash, and nobody is told that it is kept:
//! who waits for durability gets no answer. All that is in memory is forgotten and read again from the file, whose log
//! is copied into the database and synced first: after a failed sync nobody knows what the disk has of the log, while
//! pages that are written anew are synced honestly. Before the next session begins, the file has taken a trial of
//! writing, so that a disk that is full is not met again by each request.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use pawl_runtime::ports::Clock;

use super::OpenError;
use super::alarms::Alarms;
use super::checkpoint::{self, Checkpointer};
use super::commit::GroupCommit;
use super::condition::Standing;
use super::failure::Failure;
use super::flusher::{Flusher, Log, Sync};
use super::hub::Hub;
use super::messages::Messages;
use super::open::{open_database, open_log};
use super::purge::Purge;
use super::readers::Readers;
use super::recent::Recent;
use super::request::Request;
use super::rows::ItemStatements;
use super::schema;
use super::writer::{End, Writer};

/// The wait before the file is opened again, doubled after each failure…
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// …up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What all threads of a store share.
pub(super) struct Shared {
    pub(super) directory: PathBuf,
    pub(super) file: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sync: Sync,
    pub(super) requests: Sender<Request>,
    /// How many changes were sent and not yet handled.
    pub(super) pending: AtomicUsize,
    pub(super) standing: Standing,
    pub(super) hub: Arc<Hub>,
    pub(super) recent: Recent,
    pub(super) readers: Readers,
    pub(super) fsyncs: Arc<AtomicU64>,
}

/// The thread that writes, through all sessions.
pub(super) struct Keeper {
    pub(super) shared: Arc<Shared>,
    pub(super) requests: Receiver<Request>,
}

impl Keeper {
    /// Works until the store is closed, or cannot be mended.
    pub(super) fn run(&self, first: Writer) {
        let kept = catch_unwind(AssertUnwindSafe(|| self.keep(first)));
        let why = match kept {
            Ok(Ok(())) => "the store is closed".to_owned(),
            Ok(Err(failure)) => failure.why,
            Err(panic) => Failure::panicked("thread that keeps the store", &*panic).why,
        };
        if why != "the store is closed" {
            tracing::error!("storage ended: {why}");
        }
        self.shared.standing.ended(&why);
        self.shared.hub.wake_all();
    }

    fn keep(&self, mut writer: Writer) -> Result<(), Failure> {
        loop {
            let end = catch_unwind(AssertUnwindSafe(|| writer.work(&self.requests)));
            let failure = match end {
                Ok(End::Shutdown) => {
                    // Who only reads could not take the log away, so they go first.
                    self.shared.readers.stop();
                    return writer.group.close(&writer.connection).map_err(Failure::from);
                }
                Ok(End::Failed(failure)) => failure,
                Err(panic) => Failure::panicked("thread that writes", &*panic),
            };
            let since = Instant::now();
            tracing::error!("storage failed: {}; requests are refused until it is mended", failure.why);
            self.shared.standing.failed(&failure.why);
            self.abandon(writer);
            if failure.is_final {
                return Err(failure);
            }
            let Some(next) = self.reopen(failure.why)? else { return Ok(()) };
            writer = next;
            let seconds = since.elapsed().as_secs();
            tracing::info!("storage is in service again after {seconds} s; what was under way goes on");
            self.shared.standing.ready();
            self.shared.hub.wake_all();
        }
    }

    /// Ends a session without promising anything to anyone.
    fn abandon(&self, mut writer: Writer) {
        writer.group.abandon();
        self.shared.readers.stop();
        drop(writer);
    }

    /// Opens the file again, trying until it works; nothing if the store is closed meanwhile.
    fn reopen(&self, mut why: String) -> Result<Option<Writer>, Failure> {
        let mut wait = FIRST_WAIT;
        loop {
            if self.is_closed_within(wait) {
                return Ok(None);
            }
            match self.shared.session(true) {
                Ok(writer) => return Ok(Some(writer)),
                Err(error) => {
                    self.shared.readers.stop();
                    let failure = Failure::from(error);
                    if failure.is_final {
                        return Err(failure);
                    }
                    if failure.why != why {
                        tracing::error!("storage is still out of service: {}", failure.why);
                        self.shared.standing.still_failed(&failure.why);
                        why = failure.why;
                    }
                }
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Waits, dropping all requests: they were made in the session that is over, or are refused anyway.
    fn is_closed_within(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        loop {
            match self.requests.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Request::Shutdown) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(Request::Change(..)) => {
                    self.shared.pending.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }
}

impl Shared {
    /// Opens the file for the present session; after a failure nothing that was there before is trusted.
    pub(super) fn session(self: &Arc<Self>, is_repair: bool) -> Result<Writer, OpenError> {
        let session = self.standing.session();
        let mut connection = open_database(&self.file)?;
        if is_repair {
            checkpoint::empty_log(&connection)?;
            schema::try_writing(&connection)?;
        }
        let log = Log { file: open_log(&self.directory, &self.file, &self.sync)?, sync: self.sync.clone(), session };
        self.hub.reset(session);
        self.recent.clear();
        let report = (session, self.requests.clone());
        let flusher = Flusher::start(log, self.fsyncs.clone(), self.requests.clone())?;
        let checkpointer = Checkpointer::start(&self.file, &mut connection, self.fsyncs.clone(), report.clone())?;
        let group = GroupCommit::new(flusher, checkpointer);
        let messages = Messages::load(&connection, self.hub.clone())?;
        let alarms = Alarms::load(&connection)?;
        self.readers.start(&self.file, &self.clock, &report)?;
        Ok(Writer {
            shared: self.clone(),
            session,
            connection,
            statements: ItemStatements::new(),
            messages,
            alarms,
            group,
            purge: Purge::default(),
            held: VecDeque::new(),
            locked_since: None,
        })
    }
}
