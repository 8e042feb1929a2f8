//! Blobs as files named by their keys: `<kind>/<id>/<sha256>`, a folder for each owner.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use pawl_runtime::ports::{BlobError, BlobKey, BlobOwner, Blobs};

use super::Store;
use super::open::{make_folder, private};

/// The directory of the blobs.
#[derive(Clone)]
pub(super) struct BlobDirectory {
    root: PathBuf,
    fsyncs: Arc<AtomicU64>,
    drafts: Arc<AtomicU64>,
}

impl BlobDirectory {
    /// Opens it, and throws away what was half written.
    pub(super) fn open(root: &Path, fsyncs: Arc<AtomicU64>) -> std::io::Result<Self> {
        let drafts = root.join("drafts");
        match fs::remove_dir_all(&drafts) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {
                make_folder(root)?;
                make_folder(&drafts)?;
            }
        }
        Ok(Self { root: root.to_owned(), fsyncs, drafts: Arc::default() })
    }

    /// Writes a draft, syncs it, and gives it its name; so a name never stands for half a blob.
    fn put(&self, key: &BlobKey, content: &[u8]) -> std::io::Result<()> {
        let path = self.path(key);
        let directory = path.parent().expect("a blob lies in a directory");
        if path.exists() {
            // Whoever wrote it may not have come to this yet.
            return self.sync(&File::open(directory)?);
        }
        self.make_durable(directory)?;
        let draft = self.root.join("drafts").join(self.drafts.fetch_add(1, Ordering::Relaxed).to_string());
        let written = self.write(&draft, content).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written {
            // A disk that is full needs its place; if it cannot be removed, the next start does.
            drop(fs::remove_file(&draft));
            return Err(error);
        }
        self.sync(&File::open(directory)?)
    }

    /// Makes an owner's folder and the one of its kind, each synced into the one that it stands in.
    fn make_durable(&self, folder: &Path) -> std::io::Result<()> {
        let above = folder.parent().filter(|_| folder != self.root && !folder.exists());
        let Some(above) = above else { return Ok(()) };
        self.make_durable(above)?;
        make_folder(folder)?;
        self.sync(&File::open(above)?)
    }

    fn write(&self, draft: &Path, content: &[u8]) -> std::io::Result<()> {
        let mut file = private().truncate(true).open(draft)?;
        file.write_all(content)?;
        self.sync(&file)
    }

    fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError> {
        match fs::read(self.path(key)) {
            Ok(content) => Ok(Bytes::from(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(BlobError::NotFound(key.to_string())),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }

    /// Removes the folder of an owner. It is gone for certain once its name is.
    fn remove(&self, owner: &BlobOwner) -> std::io::Result<()> {
        let folder = self.root.join(owner.prefix());
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => folder.parent().map_or(Ok(()), |above| self.sync(&File::open(above)?)),
        }
    }

    /// The place of a blob. A key is a safe path by its construction.
    fn path(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    fn sync(&self, file: &File) -> std::io::Result<()> {
        self.fsyncs.fetch_add(1, Ordering::Relaxed);
        file.sync_all()
    }
}

#[async_trait]
impl Blobs for Store {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        let (directory, key) = (self.inner.blobs.clone(), key.clone());
        let writing = tokio::task::spawn_blocking(move || directory.put(&key, &content));
        match writing.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(BlobError::Unavailable(error.to_string())),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }

    async fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError> {
        let (directory, key) = (self.inner.blobs.clone(), key.clone());
        let reading = tokio::task::spawn_blocking(move || directory.get(&key));
        reading.await.unwrap_or_else(|error| Err(BlobError::Unavailable(error.to_string())))
    }

    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError> {
        let (directory, owner) = (self.inner.blobs.clone(), owner.clone());
        let removing = tokio::task::spawn_blocking(move || directory.remove(&owner));
        match removing.await {
            Ok(Ok(())) => Ok(false),
            Ok(Err(error)) => Err(BlobError::Unavailable(error.to_string())),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }
}
