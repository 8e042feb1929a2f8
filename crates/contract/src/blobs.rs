//! The suite of [`pawl_runtime::ports::Blobs`].

use bytes::Bytes;
use pawl_runtime::ports::BlobError;
use sha2::{Digest, Sha256};

use super::Backend;

fn name(content: &[u8]) -> String {
    let digest: Vec<String> = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    digest.concat()
}

async fn keep(backend: &dyn Backend, content: Bytes) -> String {
    let name = name(&content);
    backend.blobs().put(&name, content).await.expect("putting succeeds");
    name
}

/// Bytes come back as they were, text or not.
pub async fn a_blob_is_read_back(backend: &dyn Backend) {
    let content = Bytes::from_static(b"\x00\xff binary \xfe");
    let name = keep(backend, content.clone()).await;
    assert_eq!(backend.blobs().get(&name).await, Ok(content));
}

/// Content that is there already is no error.
pub async fn a_blob_can_be_put_twice(backend: &dyn Backend) {
    let content = Bytes::from_static(b"{\"twice\":true}");
    let first = keep(backend, content.clone()).await;
    let second = keep(backend, content.clone()).await;
    assert_eq!(first, second);
    assert_eq!(backend.blobs().get(&first).await, Ok(content));
}

/// What was never put is not found, also if the name is no hash.
pub async fn a_missing_blob_is_not_found(backend: &dyn Backend) {
    for missing in [name(b"never put").as_str(), "../secret", ""] {
        assert_eq!(backend.blobs().get(missing).await, Err(BlobError::NotFound(missing.to_owned())));
    }
}

/// No content and a few megabytes are both content.
pub async fn an_empty_and_a_large_blob_are_kept(backend: &dyn Backend) {
    for content in [Bytes::new(), Bytes::from(vec![7; 3 * 1024 * 1024])] {
        let name = keep(backend, content.clone()).await;
        assert!(backend.blobs().get(&name).await == Ok(content), "the blob {name} comes back");
    }
}
