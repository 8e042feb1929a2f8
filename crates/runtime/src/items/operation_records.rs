//! Ids of records that an action starts a workflow on, as they were given with the request: some of them an item.

use jiff::{SignedDuration, Timestamp};

use super::{Erasure, Kept, Retention, Unreadable, body, operation, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long they are kept, from the beginning of the action on, and what of a person they may hold.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 90)), Erasure::RecordId);

/// What the sort key begins with.
pub const PREFIX: &str = "records#";

/// Ids of one item: with the longest ids it is a quarter of what storage takes.
pub const PER_ITEM: usize = 400;

/// The key of the item of this number.
pub fn key(operation: &str, number: usize) -> Key {
    Key::new(operation::partition(operation), format!("{PREFIX}{number:06}"))
}

/// As stored; `begun_at` is when the action began.
pub fn item(operation: &str, begun_at: Timestamp, (number, ids): (usize, &[String])) -> Item {
    let key = key(operation, number);
    Item { key, version: 1, indexes: Vec::new(), expires_at: KEPT.expires_at(begun_at), body: body(&ids) }
}

/// Reads them.
pub fn parse(item: &Item) -> Result<Vec<String>, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, record_id, storable, time};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn ids_are_read_as_they_were_stored(ids in vec(record_id(), 1..9), number in 0_usize..99, at in time()) {
            let item = item("start.1", at, (number, &ids));
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(ids));
        }
    }
}
