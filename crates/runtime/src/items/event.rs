//! The event that started an execution, as it was.

use pawl_engine::Event;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::WithExecution, Erasure::WithExecution);

/// Its sort key beside the head.
pub const SORT: &str = "event";

/// Its key.
pub fn key(execution: &str) -> Key {
    Key::new(format!("execution#{execution}"), SORT)
}

/// As stored.
pub fn item(execution: &str, event: &Event) -> Item {
    Item { key: key(execution), version: 1, indexes: Vec::new(), expires_at: None, body: body(event) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Event, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, event, few, storable};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn an_event_is_read_as_it_was_stored(event in event(), execution in derived_id("exe")) {
            let item = item(&execution, &event);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(event));
        }
    }
}
