//! Blobs as files named by their hash: `<aa>/<sha256>`, where `aa` is the beginning of the hash.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use pawl_runtime::ports::{BlobError, Blobs};

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
    fn put(&self, sha256: &str, content: &[u8]) -> std::io::Result<()> {
        let path = self.path(sha256).ok_or_else(|| {
            std::io::Error::new(ErrorKind::InvalidInput, format!("expected a SHA-256 in hexadecimal, found {sha256:?}"))
        })?;
        let directory = path.parent().expect("a blob lies in a directory");
        if path.exists() {
            // Whoever wrote it may not have come to this yet.
            return self.sync(&File::open(directory)?);
        }
        if !directory.exists() {
            make_folder(directory)?;
            self.sync(&File::open(&self.root)?)?;
        }
        let draft = self.root.join("drafts").join(self.drafts.fetch_add(1, Ordering::Relaxed).to_string());
        let written = self.write(&draft, content).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written {
            // A disk that is full needs its place; if it cannot be removed, the next start does.
            drop(fs::remove_file(&draft));
            return Err(error);
        }
        self.sync(&File::open(directory)?)
    }

    fn write(&self, draft: &Path, content: &[u8]) -> std::io::Result<()> {
        let mut file = private().truncate(true).open(draft)?;
        file.write_all(content)?;
        self.sync(&file)
    }

    fn get(&self, sha256: &str) -> Result<Bytes, BlobError> {
        let not_found = || BlobError::NotFound(sha256.to_owned());
        match fs::read(self.path(sha256).ok_or_else(not_found)?) {
            Ok(content) => Ok(Bytes::from(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(not_found()),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }

    /// The place of a blob, unless the name is no hash.
    fn path(&self, sha256: &str) -> Option<PathBuf> {
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| self.root.join(&sha256[..2]).join(sha256))
    }

    fn sync(&self, file: &File) -> std::io::Result<()> {
        self.fsyncs.fetch_add(1, Ordering::Relaxed);
        file.sync_all()
    }
}

#[async_trait]
impl Blobs for Store {
    async fn put(&self, sha256: &str, content: Bytes) -> Result<(), BlobError> {
        let (directory, name) = (self.inner.blobs.clone(), sha256.to_owned());
        let writing = tokio::task::spawn_blocking(move || directory.put(&name, &content));
        match writing.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(BlobError::Unavailable(error.to_string())),
            Err(error) => Err(BlobError::Unavailable(error.to_string())),
        }
    }

    async fn get(&self, sha256: &str) -> Result<Bytes, BlobError> {
        let (directory, name) = (self.inner.blobs.clone(), sha256.to_owned());
        let reading = tokio::task::spawn_blocking(move || directory.get(&name));
        reading.await.unwrap_or_else(|error| Err(BlobError::Unavailable(error.to_string())))
    }
}
