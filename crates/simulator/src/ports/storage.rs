//! Blobs and secrets whose calls take time and fail.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use pawl_runtime::ports::{BlobError, BlobKey, BlobOwner, Blobs, SecretError, Secrets};

use crate::bug::Bug;
use crate::hub::{Fate, Hub};

/// Blobs and secrets of one process.
pub(super) struct Storage {
    hub: Arc<Hub>,
    blobs: Arc<dyn Blobs>,
    secrets: Arc<dyn Secrets>,
}

impl Storage {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        let (blobs, secrets) = (hub.store.blobs(), hub.store.secrets());
        Self { hub, blobs, secrets }
    }

    async fn refused(&self, what: &str) -> bool {
        self.hub.pause().await;
        let refused = self.hub.fate(false) != Fate::Through;
        if refused {
            self.hub.note(&format!("{what} fails"));
        }
        refused
    }
}

#[async_trait]
impl Blobs for Storage {
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError> {
        if self.refused("put of a blob").await {
            return Err(BlobError::Unavailable("no answer".to_owned()));
        }
        self.hub.count("blobs");
        let result = self.blobs.put(key, content).await;
        self.hub.pause().await;
        result
    }

    async fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError> {
        if self.refused("get of a blob").await {
            return Err(BlobError::Unavailable("no answer".to_owned()));
        }
        let result = self.blobs.get(key).await;
        self.hub.pause().await;
        result
    }

    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError> {
        if self.refused("removal of blobs").await {
            return Err(BlobError::Unavailable("no answer".to_owned()));
        }
        if self.hub.bug == Some(Bug::KeptBlobs) {
            return Ok(false);
        }
        let result = self.blobs.remove(owner).await;
        self.hub.pause().await;
        result
    }
}

#[async_trait]
impl Secrets for Storage {
    async fn get(&self, name: &str) -> Result<String, SecretError> {
        if self.refused("get of a secret").await {
            return Err(SecretError::Unavailable("no answer".to_owned()));
        }
        let result = self.secrets.get(name).await;
        self.hub.pause().await;
        result
    }
}
