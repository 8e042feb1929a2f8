//! Blobs in memory.

use async_trait::async_trait;
use bytes::Bytes;
use pawl_runtime::ports::{BlobError, Blobs};

use super::MemoryStore;

#[async_trait]
impl Blobs for MemoryStore {
    async fn put(&self, sha256: &str, content: Bytes) -> Result<(), BlobError> {
        self.lock().blobs.insert(sha256.to_owned(), content);
        Ok(())
    }

    async fn get(&self, sha256: &str) -> Result<Bytes, BlobError> {
        self.lock().blobs.get(sha256).cloned().ok_or_else(|| BlobError::NotFound(sha256.to_owned()))
    }
}
