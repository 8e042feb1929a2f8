//! A fork of an execution, for those who look at the original. It is written with the fork, whose head and event say the rest.

use super::{Erasure, Kept, Retention, history};
use crate::ports::{Expect, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::WithExecution, Erasure::Nothing);

/// How the sort keys of all forks of an execution begin.
pub const PREFIX: &str = "fork#";

/// Its key.
pub fn key(original: &str, fork: &str) -> Key {
    Key::new(history::partition(original), format!("{PREFIX}{fork}"))
}

/// As stored: the key says all.
pub fn item(original: &str, fork: &str) -> Item {
    Item { key: key(original, fork), version: 1, indexes: Vec::new(), expires_at: None, body: "{}".to_owned() }
}

/// Tells the original of a fork.
pub fn write(original: &str, fork: &str) -> Write {
    Write::Put { table: TABLE, item: item(original, fork), expect: Expect::Any }
}

/// The fork that an item tells of.
pub fn id(item: &Item) -> Option<&str> {
    item.key.sort.strip_prefix(PREFIX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, storable};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_fork_is_read_as_it_was_stored(original in derived_id("exe"), fork in derived_id("exe")) {
            let item = item(&original, &fork);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(id(&item), Some(&*fork));
        }
    }
}
