//! Blobs: large values by content hash.

use async_trait::async_trait;
use bytes::Bytes;

/// Why a blob call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Try again.
    #[error("the blob store is unavailable: {0}")]
    Unavailable(String),
    /// No blob has this hash.
    #[error("no blob has the hash {0}")]
    NotFound(String),
}

/// The blob store. A blob never changes; writing one twice is no error.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores content under its lower-case hexadecimal SHA-256, which the caller computed.
    async fn put(&self, sha256: &str, content: Bytes) -> Result<(), BlobError>;

    /// Reads a blob.
    async fn get(&self, sha256: &str) -> Result<Bytes, BlobError>;
}
