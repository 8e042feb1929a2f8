//! The executions of a workflow that wait for a slot of `limits.concurrency`, in the order in which they were made.
//!
//! An entry is written and deleted in the transaction that lets an execution wait, start or end, so the line says the same
//! as the heads. Who waits first is read from the first entries, however long the line is.

use pawl_engine::{Execution, Status};

use super::{Erasure, Kept, Retention, slot, sortable};
use crate::ports::{Expect, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::UntilDone, Erasure::Nothing);

/// The partition of the line of a workflow, or of one key of its limit.
pub fn partition(workflow: &str, slot_key: Option<&str>) -> String {
    format!("line#{}", slot::scope(workflow, slot_key))
}

/// The key of an execution's entry.
pub fn key(execution: &Execution) -> Key {
    Key::new(partition_of(execution), format!("{}#{}", sortable(execution.created_at), execution.id))
}

/// The partition of the line in which an execution waits.
pub fn partition_of(execution: &Execution) -> String {
    partition(&execution.workflow, execution.slot_key.as_deref())
}

/// As stored.
pub fn item(execution: &Execution) -> Item {
    let body = "{}".to_owned();
    Item { key: key(execution), version: 1, indexes: Vec::new(), expires_at: None, body }
}

/// The execution of an entry, by id.
pub fn parse(item: &Item) -> &str {
    item.key.sort.split_once('#').map_or(&*item.key.sort, |(_, execution)| execution)
}

/// Whether an execution stands in the line: it waits for a slot, and nothing holds it.
pub fn is_in(execution: &Execution) -> bool {
    let is_open = matches!(execution.status, Status::Queued | Status::Running);
    execution.is_in_line() && is_open && execution.killed.is_none() && !execution.stalled
}

/// The write with which an execution enters the line or leaves it.
pub fn write(before: &Execution, after: &Execution) -> Option<Write> {
    match (is_in(before), is_in(after)) {
        (false, true) => Some(Write::Put { table: TABLE, item: item(after), expect: Expect::Any }),
        (true, false) => Some(Write::Delete { table: TABLE, key: key(after), expect: Expect::Any }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{execution, few, storable};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn an_entry_is_read_as_it_was_stored(execution in execution()) {
            let item = item(&execution);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), execution.id.as_str());
        }

        #[test]
        fn who_was_made_first_stands_first(one in execution(), other in execution()) {
            let micros = |execution: &Execution| execution.created_at.as_nanosecond().div_euclid(1_000);
            prop_assume!(micros(&one) != micros(&other));
            prop_assert_eq!(key(&one).sort.cmp(&key(&other).sort), micros(&one).cmp(&micros(&other)));
        }

        #[test]
        fn the_line_is_written_where_it_changes(before in execution(), after in execution()) {
            prop_assert_eq!(write(&before, &after).is_some(), is_in(&before) != is_in(&after));
            prop_assert_eq!(write(&before, &before), None);
        }
    }
}
