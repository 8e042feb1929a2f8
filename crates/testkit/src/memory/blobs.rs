//! Blobs in memory.

use async_trait::async_trait;
use bytes::Bytes;
use pawl_runtime::ports::{BlobError, BlobKey, Blobs};

use super::MemoryStore;

#[async_trait]
impl Blobs for MemoryStore {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        self.lock().blobs.insert(key.clone(), content);
        Ok(())
    }

    async fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError> {
        self.lock().blobs.get(key).cloned().ok_or_else(|| BlobError::NotFound(key.to_string()))
    }
}
