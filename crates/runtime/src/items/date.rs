//! The next firing of a trigger for one record that has a date, or for one overdue activity. It stands in a partition of its record,
//! so that it goes with the record.
//!
//! It is written only over the version of the record or activity that it was worked out from. When it fires, it is held against
//! that as it is then, so an entry that is out of date starts nothing.

use jiff::Timestamp;
use pawl_engine::Subject;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::ports::{Index, IndexEntry, Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Executions;

/// It is deleted after its last firing, and when the record loses its date, is archived or forgotten.
pub const KEPT: Kept = Kept::new(Retention::WithRecord, Erasure::WithRecord);

/// The partition of all of them in the first index, by time.
pub const ALL: &str = "dates";

/// The partitions that are spread: many records have the same date.
pub const SPREAD: &[Spread] = &[Spread::entries(Index::Gsi1, ALL)];

/// What has the date. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dated {
    /// A record, in one of its fields.
    Record(Subject),
    /// An activity with this id, which is due then.
    Activity(String),
}

impl std::fmt::Display for Dated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record(record) => record.fmt(f),
            Self::Activity(id) => write!(f, "activity#{id}"),
        }
    }
}

/// The next firing of a trigger for a record or an activity. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateEntry {
    /// What has the date.
    pub of: Dated,
    /// Workflow.
    pub workflow: String,
    /// Trigger.
    pub trigger: String,
    /// When it fires.
    pub at: Timestamp,
    /// The same before business days moved it.
    pub planned: Timestamp,
}

/// The partition of the entries of a record or an activity.
pub fn partition(of: &Dated) -> String {
    format!("dates#{of}")
}

/// The key of an entry.
pub fn key(of: &Dated, (workflow, trigger): (&str, &str)) -> Key {
    Key::new(partition(of), format!("{workflow}#{trigger}"))
}

/// The version of an entry that was worked out from a version of the record or activity and of the workflow's head. It says what the entry is,
/// so that a write which was decided for one entry never meets another one that stands in its place since.
pub fn version(entry: &DateEntry, (dated, head): (u64, u64)) -> u64 {
    let DateEntry { at, planned, .. } = entry;
    let digest = Sha256::digest(format!("{at} {planned} {dated} {head}"));
    let number = digest.iter().take(7).fold(0, |number, byte| (number << 8) | u64::from(*byte));
    number.max(1)
}

/// An entry as stored.
pub fn item(entry: &DateEntry, version: u64) -> Item {
    let indexes = vec![IndexEntry { index: Index::Gsi1, partition: ALL.to_owned(), sort: sortable(entry.at) }];
    let key = key(&entry.of, (&entry.workflow, &entry.trigger));
    Item { key, version, indexes, expires_at: None, body: body(entry) }
}

/// Reads an entry.
pub fn parse(item: &Item) -> Result<DateEntry, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, part_id, storable, subject, time, workflow_id};
    use crate::items::kept_of;

    fn dated() -> impl Strategy<Value = Dated> {
        prop_oneof![subject().prop_map(Dated::Record), "act_[a-z0-9]{1,12}".prop_map(Dated::Activity)]
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn an_entry_is_read_as_it_was_stored(
            of in dated(), workflow in workflow_id(), trigger in part_id(), at in time(), planned in time(),
            version in 1_u64..,
        ) {
            let entry = DateEntry { of, workflow, trigger, at, planned };
            let item = item(&entry, version);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(entry));
        }
    }
}
