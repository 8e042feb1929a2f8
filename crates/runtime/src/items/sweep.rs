//! Where a loop of the sweeper goes on: its run stopped before the loop had seen everything.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold: a cursor may name the key of a notice or an execution.
pub const KEPT: Kept = Kept::new(Retention::UntilDone, Erasure::Nothing);

/// The partition of all loops.
pub const PARTITION: &str = "sweep";

/// Where a loop goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What was there at this time is looked at before the loop begins anew; what came later is not, so that no loop
    /// runs after new items and never comes back to old ones.
    pub by: Timestamp,
    /// The cursor of the next page; none is the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Its key.
pub fn key(name: &str) -> Key {
    Key::new(PARTITION, name)
}

/// As stored.
pub fn item(name: &str, position: &Position) -> Item {
    Item { key: key(name), version: 1, indexes: Vec::new(), expires_at: None, body: body(position) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Position, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, storable, time};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_position_is_read_as_it_was_stored(by in time(), after in of(".{0,40}"), name in "[a-z]{1,12}") {
            let position = Position { by, after };
            let item = item(&name, &position);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(position));
        }
    }
}
