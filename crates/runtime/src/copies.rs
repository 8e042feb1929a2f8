//! Items that each transition reads strongly, stored in several copies that are written together.
//!
//! A partition of `DynamoDB` takes 3,000 reads a second, and an item cannot be split. Each look at the kill switches reads
//! the controls of the installation and the head of a workflow. So both are stored in copies, each with a partition of its
//! own. One transaction writes all copies, so a strong read of any of them sees what was committed before it. A reader is
//! sent to a copy by who it is. Writers read the first copy, which has the item's own key, and condition on its version;
//! only the first copy has entries in indexes.

use pawl_engine::ids;

use crate::ports::{Expect, Item, Key, Table, Write};

/// Copies of an item, the first one included. A transaction has 100 writes, of which these are so many.
pub const COPIES: u8 = 16;

/// Before the partition of a copy, with its number. Stored, do not rename.
const PREFIX: &str = "copy#";

/// The key of a copy, counted from 0; the first has the item's own.
pub fn key(of: &Key, copy: u8) -> Key {
    match copy {
        0 => of.clone(),
        copy => Key::new(format!("{PREFIX}{copy:02}#{}", of.partition), &of.sort),
    }
}

/// The key of the copy that a reader reads.
pub fn key_for(of: &Key, reader: &str) -> Key {
    key(of, ids::one_of(&["copy", reader], COPIES))
}

/// The keys of all copies.
pub fn keys(of: &Key) -> impl Iterator<Item = Key> {
    (0..COPIES).map(|copy| key(of, copy))
}

/// The key of the item of which this is a copy; `None` of the first copy, and of items without copies.
pub fn original(key: &Key) -> Option<Key> {
    let (_, partition) = key.partition.strip_prefix(PREFIX)?.split_once('#')?;
    Some(Key::new(partition, &key.sort))
}

/// The writes of all copies; what is expected is expected of the first.
pub fn puts(table: Table, item: Item, expect: Expect) -> Vec<Write> {
    let copy = |number: u8| {
        let item = Item { key: key(&item.key, number), indexes: Vec::new(), ..item.clone() };
        Write::Put { table, item, expect: Expect::Any }
    };
    let copies: Vec<_> = (1..COPIES).map(copy).collect();
    [Write::Put { table, item, expect }].into_iter().chain(copies).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::items::{installation, kept_of, workflow};

    #[test]
    fn each_copy_has_a_partition_of_its_own_and_leads_back_to_the_item() {
        let head = workflow::head_key("triage");
        let all: Vec<_> = keys(&head).collect();
        assert_eq!(all[0], head);
        assert_eq!(all[3], Key::new("copy#03#workflow#triage", "head"));
        assert!(all[1..].iter().all(|copy| original(copy).as_ref() == Some(&head)));
        assert_eq!(all.iter().map(|key| &key.partition).collect::<BTreeSet<_>>().len(), usize::from(COPIES));
        assert_eq!(original(&head), None);
    }

    #[test]
    fn readers_are_sent_to_all_copies_and_each_to_the_same_always() {
        let key = installation::key();
        let read: BTreeSet<_> = (0..400).map(|id| key_for(&key, &format!("exe_{id}"))).collect();
        assert_eq!(read, keys(&key).collect());
        assert_eq!(key_for(&key, "exe_1"), key_for(&key, "exe_1"));
    }

    #[test]
    fn all_copies_say_the_same_and_only_the_first_is_expected_and_listed() {
        let item = Item {
            indexes: vec![crate::ports::IndexEntry {
                index: crate::ports::Index::Gsi1,
                partition: workflow::ALL.to_owned(),
                sort: "triage".to_owned(),
            }],
            ..installation::item(&installation::Installation::default(), 7)
        };
        let writes = puts(installation::TABLE, item.clone(), Expect::Version(6));
        assert_eq!(writes.len(), usize::from(COPIES));
        assert_eq!(
            writes[0],
            Write::Put { table: installation::TABLE, item: item.clone(), expect: Expect::Version(6) }
        );
        for (copy, write) in keys(&item.key).zip(&writes).skip(1) {
            let Write::Put { item: stored, expect: Expect::Any, .. } = write else {
                panic!("expected a put: {write:?}")
            };
            assert_eq!(*stored, Item { key: copy, indexes: Vec::new(), ..item.clone() });
            assert_eq!(kept_of(installation::TABLE, stored), Some(installation::KEPT), "a copy is kept as the item is");
        }
    }
}
