//! Blobs in memory.

use async_trait::async_trait;
use bytes::Bytes;
use pawl_runtime::ports::{BlobError, BlobKey, BlobOwner, Blobs};

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

    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError> {
        self.lock().blobs.retain(|key, _| !key.is_of(owner));
        Ok(false)
    }
}
