//! Opening a data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use pawl_runtime::ports::Clock;

use super::alarms::Alarms;
use super::blobs::BlobDirectory;
use super::checkpoint::Checkpointer;
use super::commit::GroupCommit;
use super::flusher::Flusher;
use super::hub::Hub;
use super::messages::Messages;
use super::purge::Purge;
use super::readers::Readers;
use super::recent::Recent;
use super::rows::ItemStatements;
use super::schema::{self, LAYOUT, open_writer};
use super::writer::Writer;
use super::{Inner, Store};

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this one, has it open. Stop that one, or choose another directory.
    #[error("the data directory {0:?} is in use by another process")]
    InUse(PathBuf),
    /// A newer version wrote it. Use that version, or another directory.
    #[error("the data directory has layout {found}, expected at most {expected}: it was written by a newer version")]
    Newer {
        /// The layout in the file.
        found: i64,
        /// The newest that this version knows.
        expected: i64,
    },
    /// A file cannot be created or read.
    #[error("the data directory cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// The database cannot be opened or read.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
}

impl Store {
    /// Opens a data directory, creating what is missing, and takes it for this store alone. What had committed
    /// when it was last open is there; messages that were received and not deleted are ready again.
    pub fn open(directory: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        std::fs::create_dir_all(directory)?;
        let lock = lock(directory)?;
        let file = directory.join("pawl.db");
        let mut connection = open_database(&file)?;
        let log = open_log(directory, &file)?;

        let fsyncs = Arc::new(AtomicU64::new(0));
        let hub = Arc::new(Hub::default());
        let recent = Arc::new(Recent::default());
        let pending = Arc::new(AtomicUsize::new(0));
        let (sender, requests) = channel();
        let flusher = Flusher::start(log, fsyncs.clone(), sender.clone())?;
        let checkpointer = Checkpointer::start(&file, &mut connection, fsyncs.clone(), sender.clone())?;
        let messages = Messages::load(&connection, hub.clone())?;
        let alarms = Alarms::load(&connection)?;
        let writer = Writer {
            connection,
            requests,
            pending: pending.clone(),
            clock: clock.clone(),
            hub: hub.clone(),
            recent: recent.clone(),
            statements: ItemStatements::new(),
            messages,
            alarms,
            group: GroupCommit::new(flusher, checkpointer),
            purge: Purge::new(),
        };
        let readers = Readers::start(&file, &clock)?;
        let blobs = BlobDirectory::open(&directory.join("blobs"), fsyncs.clone())?;
        let thread = std::thread::Builder::new().name("pawl-write".to_owned()).spawn(move || writer.run())?;
        let writer = Mutex::new(Some((thread, lock)));
        Ok(Self {
            inner: Arc::new(Inner { requests: sender, pending, readers, hub, recent, clock, blobs, fsyncs, writer }),
        })
    }
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn open_database(file: &Path) -> Result<rusqlite::Connection, OpenError> {
    let connection = open_writer(file)?;
    match schema::read_layout(&connection)? {
        0 => schema::create(&connection)?,
        LAYOUT => {}
        found => return Err(OpenError::Newer { found, expected: LAYOUT }),
    }
    Ok(connection)
}

/// Opens the log for syncing, and makes the names of the files durable.
fn open_log(directory: &Path, file: &Path) -> Result<File, OpenError> {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    let log = OpenOptions::new().read(true).write(true).open(PathBuf::from(name))?;
    log.sync_data()?;
    File::open(directory)?.sync_all()?;
    Ok(log)
}
