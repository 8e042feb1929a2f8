//! Blobs: large values by owner and content hash.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use pawl_engine::ids;
use sha2::{Digest, Sha256};

/// Longest id of an owner that stands in a key as it is, in bytes.
const ID_MOST: usize = 128;

/// Why a blob call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Try again.
    #[error("the blob store is unavailable: {0}")]
    Unavailable(String),
    /// No blob has this key.
    #[error("no blob has the key {0}")]
    NotFound(String),
}

/// The owner of a blob. The keys of the owner's blobs begin with `<kind>/<id>/`.
///
/// A key contains an id unchanged if it is a safe name everywhere (`a` to `z`, digits, `-`, `_`, at most 128 bytes).
/// For any other id it contains `!` and the id's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobOwner(String);

impl BlobOwner {
    /// An execution: its head, its rows, and the event that started it, as it is stored beside them.
    pub fn execution(id: &str) -> Self {
        Self(format!("execution/{}", safe(id)))
    }

    /// An event on its way to the executions that it starts or wakes.
    pub fn event(id: &str) -> Self {
        Self(format!("event/{}", safe(id)))
    }
}

impl BlobOwner {
    /// What the keys of its blobs begin with: `<kind>/<id>/`.
    pub fn prefix(&self) -> String {
        format!("{}/", self.0)
    }
}

impl fmt::Display for BlobOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of a blob: `<kind>/<id>/<sha256>`. Stored, do not change. It is safe as a path and as a key of S3.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobKey(String);

impl BlobKey {
    /// The key of an owner's blob by the lower-case hexadecimal SHA-256 of its content; what is no such hash names no blob.
    pub fn new(owner: &BlobOwner, sha256: &str) -> Result<Self, BlobError> {
        let key = format!("{owner}/{sha256}");
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash { Ok(Self(key)) } else { Err(BlobError::NotFound(key)) }
    }

    /// Whether it is a blob of this owner.
    pub fn is_of(&self, owner: &BlobOwner) -> bool {
        self.0.strip_prefix(&owner.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn safe(id: &str) -> String {
    let is_safe = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if !id.is_empty() && id.len() <= ID_MOST && id.bytes().all(is_safe) {
        return id.to_owned();
    }
    format!("!{}", ids::hex(&Sha256::digest(id.as_bytes())))
}

/// The blob store. A blob never changes; writing one twice is no error.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores content under a key with its SHA-256, which the caller computed.
    async fn put(&self, key: &BlobKey, content: Bytes) -> Result<(), BlobError>;

    /// Reads a blob.
    async fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError>;

    /// Removes up to 1,000 blobs of an owner. Answers whether the owner may have more; one without blobs is no error.
    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_begins_with_its_owner() {
        let hash = "ab".repeat(32);
        let key = |owner: BlobOwner| BlobKey::new(&owner, &hash).expect("it is a hash").to_string();
        assert_eq!(key(BlobOwner::execution("exe_1")), format!("execution/exe_1/{hash}"));
        assert_eq!(key(BlobOwner::event("evt-1")), format!("event/evt-1/{hash}"));
    }

    #[test]
    fn an_odd_id_is_a_safe_name_of_its_own() {
        let long = ["x".repeat(ID_MOST + 1), "x".repeat(3_000)];
        let odd =
            ["", ".", "..", "../..", "a/b", "a%2fb", "A", "a", "é", "a b", "a\0b", "a\\b", "#?+", &long[0], &long[1]];
        let owners: std::collections::BTreeSet<_> = odd.iter().map(|id| BlobOwner::execution(id).to_string()).collect();
        assert_eq!(owners.len(), odd.len(), "two ids share a name");
        for owner in owners {
            let name = owner.strip_prefix("execution/").expect("it begins with its kind");
            let is_safe = |byte: u8| matches!(byte, b'!' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
            assert!((1..=ID_MOST).contains(&name.len()) && name.bytes().all(is_safe), "{name}");
        }
    }

    #[test]
    fn what_is_no_hash_is_no_key() {
        let owner = BlobOwner::event("evt_1");
        for name in ["", "00", "../../execution/exe_1", &"AB".repeat(32), &"g".repeat(64)] {
            assert_eq!(BlobKey::new(&owner, name), Err(BlobError::NotFound(format!("event/evt_1/{name}"))));
        }
    }
}
