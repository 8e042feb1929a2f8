//! The slots of one key of `limits.concurrency` that are taken, each with the execution that holds it.
//!
//! A slot is written and deleted in the transaction that takes it and gives it back. Two executions cannot take the same one,
//! and numbers end at the limit, so no more executions hold one than the limit says. The key may be a value of a record, and
//! stands here as a digest.

use pawl_engine::{Execution, ids};
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Expect, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::UntilDone, Erasure::Nothing);

#[derive(Serialize, Deserialize)]
struct Slot {
    execution: String,
}

/// A workflow and a key of its limit, as partitions name them; without a key, the workflow.
pub(super) fn scope(workflow: &str, slot_key: Option<&str>) -> String {
    match slot_key {
        Some(key) => format!("{workflow}#{}", ids::slot_key_digest(key)),
        None => workflow.to_owned(),
    }
}

/// The partition of a key's slots.
pub fn partition(workflow: &str, slot_key: &str) -> String {
    format!("slots#{}", scope(workflow, Some(slot_key)))
}

/// The key of a slot.
pub fn key(workflow: &str, slot_key: &str, number: u16) -> Key {
    Key::new(partition(workflow, slot_key), format!("{number:04}"))
}

/// The number of a slot that is taken.
pub fn number(item: &Item) -> Option<u16> {
    item.key.sort.parse().ok()
}

/// The execution that holds a slot, by id.
pub fn holder(item: &Item) -> Result<String, Unreadable> {
    Ok(read::<Slot>(item)?.execution)
}

/// The writes with which an execution that has a key takes its slot or gives it back.
pub fn writes(before: &Execution, after: &Execution) -> Vec<Write> {
    let Some(slot_key) = after.slot_key.as_deref().filter(|_| before.holds_slot != after.holds_slot) else {
        return Vec::new();
    };
    let key = |number| key(&after.workflow, slot_key, number);
    let given_back =
        before.holds_slot.map(|number| Write::Delete { table: TABLE, key: key(number), expect: Expect::Any });
    let taken = after.holds_slot.map(|number| {
        let body = body(&Slot { execution: after.id.clone() });
        let item = Item { key: key(number), version: 1, indexes: Vec::new(), expires_at: None, body };
        Write::Put { table: TABLE, item, expect: Expect::Absent }
    });
    given_back.into_iter().chain(taken).collect()
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
        fn a_slot_is_read_as_it_was_stored(execution in execution(), slot_key in ".{0,20}", slot in 0_u16..1_000) {
            let before = Execution { slot_key: Some(slot_key), holds_slot: None, ..execution };
            let after = Execution { holds_slot: Some(slot), ..before.clone() };
            let writes = writes(&before, &after);
            let [Write::Put { item, expect: Expect::Absent, .. }] = writes.as_slice() else { panic!("{writes:?}") };
            prop_assert_eq!(storable(item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, item), Some(KEPT));
            prop_assert_eq!(number(item), Some(slot));
            prop_assert_eq!(holder(item), Ok(after.id.clone()));
            let [Write::Delete { key, .. }] = &super::writes(&after, &before)[..] else { panic!("it is given back") };
            prop_assert_eq!(key, &item.key);
        }

        #[test]
        fn another_key_has_other_slots(one in ".{0,20}", other in ".{0,20}", slot in 0_u16..1_000) {
            prop_assert_eq!(one == other, key("w", &one, slot) == key("w", &other, slot));
        }
    }
}
