//! Opening a data directory.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use pawl_runtime::ports::Clock;

use super::backlog::BacklogLimits;
use super::blobs::BlobDirectory;
use super::condition::Standing;
use super::flusher::Sync;
use super::hub::Hub;
use super::keeper::{Keeper, Shared};
use super::readers::Readers;
use super::recent::Recent;
use super::schema::{self, LAYOUT, open_writer};
use super::{Inner, Store};

/// Data is for the eyes of the one who runs the process.
const PRIVATE_FILE: u32 = 0o600;

/// The same, of folders.
const PRIVATE_FOLDER: u32 = 0o700;

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
    /// Opens a data directory with the default limits of the backlog.
    pub fn open(directory: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_with(directory, clock, BacklogLimits::default())
    }

    /// Opens a data directory, creating what is missing, and takes it for this store alone. What had committed
    /// when it was last open is there; messages that were received and not deleted are ready again.
    pub fn open_with(directory: &Path, clock: Arc<dyn Clock>, limits: BacklogLimits) -> Result<Self, OpenError> {
        Self::open_synced(directory, clock, limits, Arc::new(File::sync_data))
    }

    /// The same with another way to sync the log.
    pub(super) fn open_synced(
        directory: &Path,
        clock: Arc<dyn Clock>,
        limits: BacklogLimits,
        sync: Sync,
    ) -> Result<Self, OpenError> {
        if make_folder(directory)? {
            ignored_by_git(directory)?;
        }
        let lock = lock(directory)?;
        let file = directory.join("pawl.db");
        keep_private(&file)?;
        let fsyncs = Arc::new(AtomicU64::new(0));
        let blobs = BlobDirectory::open(&directory.join("blobs"), fsyncs.clone())?;
        let (sender, requests) = channel();
        let shared = Arc::new(Shared {
            directory: directory.to_owned(),
            file,
            clock,
            sync,
            requests: sender,
            pending: AtomicUsize::new(0),
            standing: Standing::default(),
            hub: Arc::new(Hub::new(limits)),
            recent: Recent::default(),
            readers: Readers::default(),
            fsyncs,
        });
        let first = shared.session(false)?;
        let keeper = Keeper { shared: shared.clone(), requests };
        let thread = std::thread::Builder::new().name("pawl-write".to_owned()).spawn(move || keeper.run(first))?;
        Ok(Self { inner: Arc::new(Inner { shared, blobs, writer: Mutex::new(Some((thread, lock))) }) })
    }
}

/// Locks the directory itself: unlike a file in it, nobody deletes it and makes a new one while it is in use.
fn lock(directory: &Path) -> Result<File, OpenError> {
    let file = File::open(directory)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Makes a folder that only its owner sees, whatever the umask is; `false` if it is there already, and stays as it is.
pub(super) fn make_folder(folder: &Path) -> std::io::Result<bool> {
    if folder.is_dir() {
        return Ok(false);
    }
    DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(folder)?;
    std::fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER))?;
    Ok(true)
}

/// Keeps a new data folder, which mostly stands inside somebody's repository, out of it. A folder that was there before may
/// hold other things, and is its owner's affair.
fn ignored_by_git(folder: &Path) -> std::io::Result<()> {
    private().truncate(true).open(folder.join(".gitignore"))?.write_all(b"*\n")
}

/// How files of data are made.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(PRIVATE_FILE);
    options
}

/// Makes the database's file before `SQLite` does, which gives its log the same mode, and mends those of earlier
/// versions.
fn keep_private(file: &Path) -> std::io::Result<()> {
    drop(private().truncate(false).open(file)?);
    for ending in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        match std::fs::set_permissions(PathBuf::from(name), Permissions::from_mode(PRIVATE_FILE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn open_database(file: &Path) -> Result<rusqlite::Connection, OpenError> {
    let connection = open_writer(file)?;
    match schema::read_layout(&connection)? {
        0 => schema::create(&connection)?,
        LAYOUT => {}
        found => return Err(OpenError::Newer { found, expected: LAYOUT }),
    }
    schema::complete(&connection)?;
    Ok(connection)
}

/// Opens the log for syncing, and makes the names of the files durable.
pub(super) fn open_log(directory: &Path, file: &Path, sync: &Sync) -> Result<File, OpenError> {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    let log = OpenOptions::new().read(true).write(true).open(PathBuf::from(name))?;
    sync(&log)?;
    File::open(directory)?.sync_all()?;
    Ok(log)
}
