//! Where a step stands that chooses members one after the other: the member who was chosen last.
//!
//! The transaction that uses a choice moves it, on the condition that it stands as it was read. So of two executions that read
//! the same place one decides again, and each place is used once.

use pawl_engine::{Position, SeenPosition};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold: the id of a member, and nothing of a record.
pub const KEPT: Kept = Kept::new(Retention::WithWorkflow, Erasure::Nothing);

/// Its key: alone in its partition, for each execution of the workflow may write to it.
pub fn key(workflow: &str, step: &str) -> Key {
    Key::new(format!("position#{workflow}#{step}"), "position")
}

/// As stored.
pub fn item(workflow: &str, step: &str, position: &Position, version: u64) -> Item {
    Item { key: key(workflow, step), version, indexes: Vec::new(), expires_at: None, body: body(position) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<SeenPosition, Unreadable> {
    Ok(SeenPosition { version: item.version, position: Some(read(item)?) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, part_id, storable, text, workflow_id};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_position_is_read_as_it_was_stored(
            workflow in workflow_id(), step in part_id(), last in text(), at in 0_usize..1_000, version in 1_u64..,
        ) {
            let position = Position { last, at };
            let item = item(&workflow, &step, &position, version);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(SeenPosition { version, position: Some(position) }));
        }
    }
}
