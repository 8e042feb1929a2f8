//! A delivery that was answered: its idempotency key with a time to live.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Keys;

/// How long a repeat is recognised. Providers repeat for up to three days (Stripe, Standard Webhooks).
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(72)), Erasure::Nothing);

/// What the first delivery was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The event that it became.
    pub event_id: String,
    /// The execution that it would start.
    pub execution_id: Option<String>,
    /// Digest of what was sent under a key that its sender chose: a repeat sends the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The key under which these signed bytes came first, where the signature does not cover it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_key: Option<String>,
}

/// Its key.
pub fn key(workflow: &str, trigger: &str, delivery: &str) -> Key {
    Key::new(format!("delivery#{workflow}/{trigger}"), delivery)
}

/// Its key by the bytes that were signed.
pub fn signed_key(workflow: &str, trigger: &str, digest: &str) -> Key {
    key(workflow, trigger, &format!("signed:{digest}"))
}

/// As stored.
pub fn item(key: Key, delivery: &Delivery, now: Timestamp) -> Item {
    Item { key, version: 1, indexes: Vec::new(), expires_at: KEPT.expires_at(now), body: body(delivery) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Delivery, Unreadable> {
    read(item)
}
