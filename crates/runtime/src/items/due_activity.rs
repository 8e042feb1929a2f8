//! The time at which an open activity is due. It stands in the partition of the index that holds the dates of records, so that the
//! sweeper finds both by one query. The transaction that writes the activity writes it, moves it and takes it away.

use jiff::Timestamp;
use pawl_engine::{ActivityStatus, RecordActivity};
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, date, read, sortable};
use crate::ports::{Expect, Index, IndexEntry, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// It is deleted when the activity is overdue and this was told, when the activity ends, and with it.
pub const KEPT: Kept = Kept::new(Retention::WithRecord, Erasure::Nothing);

/// Its partitions begin so.
pub const PREFIX: &str = "due#";

/// When an activity is due. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueActivity {
    /// Activity.
    pub activity: String,
    /// When it is due.
    pub at: Timestamp,
}

/// Its key.
pub fn key(activity: &str) -> Key {
    Key::new(format!("{PREFIX}{activity}"), "due")
}

/// As stored. Its version says when the activity is due, so that a time which was told never takes away another one.
pub fn item(due: &DueActivity) -> Item {
    let indexes = vec![IndexEntry { index: Index::Gsi1, partition: date::ALL.to_owned(), sort: sortable(due.at) }];
    let version = due.at.as_microsecond().unsigned_abs().max(1);
    Item { key: key(&due.activity), version, indexes, expires_at: None, body: body(due) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<DueActivity, Unreadable> {
    read(item)
}

/// The write by which it follows a change of an activity; `None` if the change does not touch it.
pub fn follow(before: Option<&RecordActivity>, after: Option<&RecordActivity>) -> Option<Write> {
    let due = |activity: &RecordActivity| activity.due.filter(|_| activity.status == ActivityStatus::Open);
    match (before.and_then(due), after.and_then(due)) {
        (before, after) if before == after => None,
        (_, Some(at)) => {
            let item = item(&DueActivity { activity: after?.id.clone(), at });
            Some(Write::Put { table: TABLE, item, expect: Expect::Any })
        }
        (_, None) => Some(Write::Delete { table: TABLE, key: key(&before?.id), expect: Expect::Any }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, storable, time};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_time_is_read_as_it_was_stored(activity in "act_[a-z0-9]{1,12}", at in time()) {
            let due = DueActivity { activity, at };
            let item = item(&due);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(due));
        }
    }
}
