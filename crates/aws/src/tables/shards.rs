//! The partitions of storage that stand for one. The names are stored, do not rename.
//!
//! A partition that is [spread](pawl_runtime::spread) is kept in several: `<partition>|00`, `<partition>|01`, and so on. The
//! shard is that of the primary key, for the item itself and for its entries in indexes.

use pawl_runtime::ports::{Index, Key};
use pawl_runtime::spread::{shard_of, shards_of};

/// Between the partition and its shard.
const MARK: char = '|';

/// The partition of storage in which an item stands, by its primary key or in an index.
pub(super) fn stored(index: Option<Index>, partition: &str, key: &Key) -> String {
    match shards_of(index, partition) {
        1 => partition.to_owned(),
        shards => name(partition, shard_of(key, shards)),
    }
}

/// All partitions of storage that stand for one.
pub(super) fn all(index: Option<Index>, partition: &str) -> Vec<String> {
    match shards_of(index, partition) {
        1 => vec![partition.to_owned()],
        shards => (0..shards).map(|shard| name(partition, shard)).collect(),
    }
}

/// The partition for which one of storage stands.
pub(super) fn logical(index: Option<Index>, mut stored: String) -> String {
    if let Some((partition, _)) = stored.rsplit_once(MARK)
        && shards_of(index, partition) > 1
    {
        stored.truncate(partition.len());
    }
    stored
}

fn name(partition: &str, shard: u8) -> String {
    format!("{partition}{MARK}{shard:02}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_partition_is_known_from_each_of_its_shards() {
        for (index, partition, many) in [
            (Some(Index::Gsi3), "moving", 16),
            (Some(Index::Gsi1), "workflow#a|b", 16),
            (None, "record#ticket", 16),
            (None, "execution#exe_1", 1),
            (Some(Index::Gsi2), "record#ticket/a|01", 1),
            (None, "listen#object/ticket|03", 1),
        ] {
            let names = all(index, partition);
            assert_eq!(names.len(), many, "{partition}");
            assert!(names.iter().all(|name| logical(index, name.clone()) == partition), "{names:?}");
            let places: BTreeSet<_> =
                (0..200).map(|id| stored(index, partition, &Key::new("p", id.to_string()))).collect();
            assert_eq!(places, names.into_iter().collect(), "items stand in all of them");
        }
    }
}
