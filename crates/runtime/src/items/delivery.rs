//! A delivery that was answered: its idempotency key with a time to live.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Keys;

/// How long a repeat is recognised, and what of a person it may hold: a key is a text that its sender chose. Providers
/// repeat for up to three days (Stripe, Standard Webhooks).
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(72)), Erasure::WhenExpired);

/// The partitions that are spread: each delivery is a write, and nobody queries them.
pub const SPREAD: &[Spread] = &[Spread::keys("delivery")];

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

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, filled, part_id, storable, time, workflow_id};
    use crate::items::kept_of;

    fn delivery() -> impl Strategy<Value = Delivery> {
        (derived_id("evt"), of(derived_id("exe")), of("[0-9a-f]{64}"), of(filled())).prop_map(
            |(event_id, execution_id, content, first_key)| Delivery { event_id, execution_id, content, first_key },
        )
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_delivery_is_read_as_it_was_stored(
            delivery in delivery(), workflow in workflow_id(), trigger in part_id(), id in filled(), now in time(),
        ) {
            for key in [key(&workflow, &trigger, &id), signed_key(&workflow, &trigger, &id)] {
                let item = item(key, &delivery, now);
                prop_assert_eq!(storable(&item), Ok(()));
                prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
                prop_assert_eq!(parse(&item), Ok(delivery.clone()));
            }
        }

        #[test]
        fn another_delivery_has_another_key(
            one in (workflow_id(), part_id(), filled()), other in (workflow_id(), part_id(), filled()),
        ) {
            let key = |(workflow, trigger, id): &(String, String, String)| key(workflow, trigger, id);
            prop_assert_eq!(key(&one) == key(&other), one == other);
        }
    }
}
