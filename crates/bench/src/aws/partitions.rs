//! What each partition of a table or of an index takes.

use std::collections::BTreeMap;

use super::capacity::{Item, Units};

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partition {
    /// Its table, by the name that it has in AWS.
    pub(super) table: String,
    /// The number of its index; none is the table itself.
    pub(super) index: Option<u8>,
    /// Its key.
    pub(super) key: String,
}

impl Partition {
    /// Of a table or one of its indexes.
    pub(super) fn of(table: &str, index: Option<u8>, key: &str) -> Self {
        Self { table: table.to_owned(), index, key: key.to_owned() }
    }
}

/// Units by partition.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Partitions {
    pub(super) units: BTreeMap<Partition, Units>,
    /// In how many transactions each item was, by partition and sort key.
    pub(super) transactions: BTreeMap<(Partition, String), f64>,
}

impl Partitions {
    /// Adds what a request takes of a partition.
    pub(super) fn add(&mut self, table: &str, index: Option<u8>, key: &str, units: Units) {
        *self.units.entry(Partition::of(table, index, key)).or_default() += units;
    }

    /// An item was in a transaction.
    pub(super) fn transacted(&mut self, table: &str, item: &Item) {
        let partition = Partition { table: table.to_owned(), index: None, key: key_of(item, None).to_owned() };
        let sort = item.get("sk").and_then(|key| key["S"].as_str()).unwrap_or_default();
        *self.transactions.entry((partition, sort.to_owned())).or_default() += 1.0;
    }
}

/// The partition of an item's key, or of its entry in an index.
pub(super) fn key_of(item: &Item, index: Option<u8>) -> &str {
    let name = index.map_or_else(|| "pk".to_owned(), |index| format!("i{index}p"));
    item.get(&name).and_then(|key| key["S"].as_str()).unwrap_or_default()
}
