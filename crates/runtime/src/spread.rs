//! Partitions that storage keeps in several, because so much is written to them.
//!
//! A partition of `DynamoDB` takes 1,000 writes and 3,000 reads a second. What every execution writes to would end there,
//! however many functions run. So the modules of `items` declare as `SPREAD` which of their partitions are spread; a store
//! with such a limit appends the [shard](shard_of) of an item to the partition, and merges the shards in a query. Callers
//! see one partition in one order. Reads and writes by key cost the same; a query costs a request for each shard, so no
//! partition is spread that a transition queries.

use pawl_engine::ids;

use crate::items::{activity, date, debounce, delivery, execution, guard, notice, record, refusal, schedule};
use crate::ports::{Index, Key};

/// Partitions of storage in place of one. Stored, do not change: an item would be looked for in another one.
pub const SHARDS: u8 = 16;

/// Partitions that are spread: those of one kind, in a table or in one of its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    index: Option<Index>,
    kind: &'static str,
}

impl Spread {
    /// The partitions of primary keys that begin with a word.
    pub const fn keys(kind: &'static str) -> Self {
        Self { index: None, kind }
    }

    /// The partitions of an index that begin with a word.
    pub const fn entries(index: Index, kind: &'static str) -> Self {
        Self { index: Some(index), kind }
    }
}

/// What the modules of items declare.
const DECLARED: [&[Spread]; 10] = [
    activity::SPREAD,
    date::SPREAD,
    debounce::SPREAD,
    delivery::SPREAD,
    execution::SPREAD,
    guard::SPREAD,
    notice::SPREAD,
    record::SPREAD,
    refusal::SPREAD,
    schedule::SPREAD,
];

/// Over how many partitions of storage one is spread; 1 if it is not.
pub fn shards_of(index: Option<Index>, partition: &str) -> u8 {
    let kind = partition.split_once('#').map_or(partition, |(kind, _)| kind);
    let is_spread = DECLARED.iter().copied().flatten().any(|spread| spread.index == index && spread.kind == kind);
    if is_spread { SHARDS } else { 1 }
}

/// The shard of an item: that of its primary key, so a change of its index entries does not move it.
pub fn shard_of(key: &Key, shards: u8) -> u8 {
    ids::one_of(&["shard", &key.partition, &key.sort], shards)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_every_execution_writes_to_is_spread_and_nothing_else() {
        let entries = |index, partition: &str| shards_of(Some(index), partition);
        assert_eq!(entries(Index::Gsi1, "workflow#triage"), SHARDS);
        assert_eq!(entries(Index::Gsi3, "moving"), SHARDS);
        assert_eq!(entries(Index::Gsi4, "due"), SHARDS);
        assert_eq!(shards_of(None, "record#ticket"), SHARDS);
        assert_eq!(entries(Index::Gsi2, "record#ticket/t-1"), 1, "it is one record's");
        assert_eq!(entries(Index::Gsi1, "workflows"), 1, "no execution writes to it");
        assert_eq!(shards_of(None, "listen#object/ticket"), 1, "each event queries it");
        assert_eq!(shards_of(None, "waiter#record/ticket/t-1"), 1, "each event queries it");
        assert_eq!(shards_of(None, "execution#exe_1"), 1);
    }

    /// Where an item is stored does not change from one release to the next.
    #[test]
    fn the_shard_of_a_key_is_what_it_was() {
        let shards = ["exe_1", "exe_2", "exe_3"].map(|id| shard_of(&execution::key(id), SHARDS));
        assert_eq!(shards, [15, 6, 6]);
        assert_eq!(shard_of(&execution::key("exe_1"), 1), 0);
    }

    #[test]
    fn shards_are_about_equal_also_of_ids_that_count_up() {
        let mut found = BTreeMap::<u8, usize>::new();
        for number in 0..16_000 {
            *found.entry(shard_of(&Key::new("record#item", format!("item-{number}")), SHARDS)).or_default() += 1;
        }
        assert_eq!(found.len(), usize::from(SHARDS));
        assert!(found.values().all(|count| (850..1_150).contains(count)), "about 1,000 each: {found:?}");
    }
}
