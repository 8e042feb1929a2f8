//! The suite of [`pawl_runtime::ports::Blobs`].

use bytes::Bytes;
use pawl_runtime::ports::{BlobError, BlobKey, BlobOwner};
use sha2::{Digest, Sha256};

use super::Backend;

fn name(owner: &BlobOwner, content: &[u8]) -> BlobKey {
    let digest: Vec<String> = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    BlobKey::new(owner, &digest.concat()).expect("a digest is a hash")
}

async fn keep_of(backend: &dyn Backend, owner: &BlobOwner, content: Bytes) -> BlobKey {
    let key = name(owner, &content);
    backend.blobs().put(&key, content).await.expect("putting succeeds");
    key
}

async fn keep(backend: &dyn Backend, content: Bytes) -> BlobKey {
    keep_of(backend, &BlobOwner::execution("exe_1"), content).await
}

/// Bytes come back as they were, text or not.
pub async fn a_blob_is_read_back(backend: &dyn Backend) {
    let content = Bytes::from_static(b"\x00\xff binary \xfe");
    let key = keep(backend, content.clone()).await;
    assert_eq!(backend.blobs().get(&key).await, Ok(content));
}

/// Content that is there already is no error.
pub async fn a_blob_can_be_put_twice(backend: &dyn Backend) {
    let content = Bytes::from_static(b"{\"twice\":true}");
    let first = keep(backend, content.clone()).await;
    let second = keep(backend, content.clone()).await;
    assert_eq!(first, second);
    assert_eq!(backend.blobs().get(&first).await, Ok(content));
}

/// What was never put is not found, whether its owner has other blobs or none.
pub async fn a_missing_blob_is_not_found(backend: &dyn Backend) {
    keep(backend, Bytes::from_static(b"another")).await;
    for owner in [BlobOwner::execution("exe_1"), BlobOwner::event("evt_1")] {
        let missing = name(&owner, b"never put");
        assert_eq!(backend.blobs().get(&missing).await, Err(BlobError::NotFound(missing.to_string())));
    }
}

/// No content and a few megabytes are both content.
pub async fn an_empty_and_a_large_blob_are_kept(backend: &dyn Backend) {
    for content in [Bytes::new(), Bytes::from(vec![7; 3 * 1024 * 1024])] {
        let key = keep(backend, content.clone()).await;
        assert!(backend.blobs().get(&key).await == Ok(content), "the blob {key} comes back");
    }
}

/// Nothing is shared by its hash: what one owner has, no other finds.
pub async fn the_same_content_of_two_owners_is_two_blobs(backend: &dyn Backend) {
    let content = Bytes::from_static(b"the same");
    let first = keep_of(backend, &BlobOwner::execution("exe_1"), content.clone()).await;
    for owner in [BlobOwner::execution("exe_2"), BlobOwner::event("exe_1")] {
        let other = name(&owner, &content);
        assert_eq!(backend.blobs().get(&other).await, Err(BlobError::NotFound(other.to_string())));
    }
    let second = keep_of(backend, &BlobOwner::execution("exe_2"), content.clone()).await;
    assert_eq!(backend.blobs().get(&first).await, Ok(content.clone()));
    assert_eq!(backend.blobs().get(&second).await, Ok(content));
}

/// Ids that would be other paths, or no names, are owners like all others.
pub async fn an_owner_of_any_name_keeps_its_blobs(backend: &dyn Backend) {
    let long = "x".repeat(2_000);
    for id in ["", ".", "..", "../../up", "/etc", "a/b", "a%2Fb", "A b+c?d#e&f", "ünï", "a\u{0}b", &long] {
        let owner = BlobOwner::execution(id);
        let content = Bytes::from(format!("of {id}"));
        let key = keep_of(backend, &owner, content.clone()).await;
        assert_eq!(backend.blobs().get(&key).await, Ok(content), "{key}");
    }
}

/// What an owner has is removed together, and nothing of another whose name begins alike.
pub async fn the_blobs_of_an_owner_are_removed_together(backend: &dyn Backend) {
    let content = |number: u8| Bytes::from(vec![number; 100]);
    let others = [BlobOwner::execution("exe_11"), BlobOwner::event("exe_1")];
    for owner in [BlobOwner::execution("exe_1"), BlobOwner::execution("É / odd")] {
        let mut kept = Vec::new();
        for other in &others {
            kept.push(keep_of(backend, other, content(0)).await);
        }
        let mut keys = Vec::new();
        for number in 0..3 {
            keys.push(keep_of(backend, &owner, content(number)).await);
        }
        while backend.blobs().remove(&owner).await.expect("removing succeeds") {}
        for key in keys {
            assert_eq!(backend.blobs().get(&key).await, Err(BlobError::NotFound(key.to_string())));
        }
        for key in kept {
            assert_eq!(backend.blobs().get(&key).await, Ok(content(0)));
        }
        assert_eq!(backend.blobs().remove(&owner).await, Ok(false), "an owner without blobs is no error");
        let again = keep_of(backend, &owner, content(1)).await;
        assert_eq!(backend.blobs().get(&again).await, Ok(content(1)));
    }
}
