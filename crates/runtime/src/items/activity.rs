//! An activity about records, and the rows by which it is found: one for each of its records, and one for its assignee.
//!
//! A row stands among those of its record by its state: open ones first, by the time at which they are due, then the others, by
//! the time at which they ended. So the open ones are read alone, strongly, and the end of an activity moves its rows in the
//! same transaction.

use std::collections::BTreeMap;

use pawl_engine::{ActivityStatus, ActivityWrite, RecordActivity, Subject};
use serde::Deserialize;
use serde_json::json;

use super::{Erasure, Kept, Retention, Unreadable, body, due_activity, read, sortable};
use crate::ports::{Expect, Index, IndexEntry, Item, Key, SortRange, Table, Write};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Records;

/// The table of the rows.
pub const ROWS: Table = Table::Keys;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::WithRecord, Erasure::WithRecord);

/// The partitions that are spread: each execution may make activities.
pub const SPREAD: &[Spread] = &[Spread::entries(Index::Gsi1, ALL)];

/// The partition of all activities, in the first index, by the time at which they were made.
pub const ALL: &str = "activities";

/// Rows of open activities begin so.
const OPEN: &str = "open#";

/// Rows of activities that have ended begin so: after those that are open.
const OVER: &str = "over#";

/// In the place of a time, of what is never due.
const NEVER: &str = "~";

/// Its key: alone in its partition.
pub fn key(id: &str) -> Key {
    Key::new(format!("activity#{id}"), "activity")
}

/// Whether an item of the table is an activity.
pub fn is_one(key: &Key) -> bool {
    key.partition.starts_with("activity#")
}

/// As stored.
pub fn item(activity: &RecordActivity) -> Item {
    let sort = sortable(activity.created_at);
    let indexes = vec![IndexEntry { index: Index::Gsi1, partition: ALL.to_owned(), sort }];
    Item { key: key(&activity.id), version: activity.version, indexes, expires_at: None, body: body(activity) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<RecordActivity, Unreadable> {
    read(item)
}

/// The partition of the rows of a record.
pub fn of_record(record: &Subject) -> String {
    format!("activities#{record}")
}

/// The partition of the rows of an assignee.
pub fn of_assignee(member: &str) -> String {
    format!("assigned#{member}")
}

/// The sort keys of rows of open activities.
pub fn open() -> SortRange {
    SortRange::Prefix(OPEN.to_owned())
}

/// The sort keys of rows of activities that have ended.
pub fn over() -> SortRange {
    SortRange::Prefix(OVER.to_owned())
}

#[derive(Deserialize)]
struct Row {
    activity: String,
}

/// The activity that a row leads to.
pub fn row_target(item: &Item) -> Result<String, Unreadable> {
    Ok(read::<Row>(item)?.activity)
}

/// The rows of an activity, by key.
fn rows(activity: &RecordActivity) -> BTreeMap<Key, Item> {
    let (prefix, time) = match activity.status {
        ActivityStatus::Open => (OPEN, activity.due),
        _ => (OVER, activity.ended_at),
    };
    let sort = format!("{prefix}{}#{}", time.map_or_else(|| NEVER.to_owned(), sortable), activity.id);
    let partitions = activity.records.iter().map(of_record).chain(activity.assignee.as_deref().map(of_assignee));
    let body = json!({"activity": activity.id}).to_string();
    let row = |partition| {
        let key = Key::new(partition, sort.clone());
        (key.clone(), Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: body.clone() })
    };
    partitions.map(row).collect()
}

/// The writes of one change of an activity: itself, its rows as far as they move, and when it is due. The records of a new one must be as they
/// were read, so that none is made about a record that is forgotten meanwhile.
pub fn writes(change: &ActivityWrite) -> Vec<Write> {
    let expect = change.before.as_ref().map_or(Expect::Absent, |before| Expect::Version(before.version));
    let mut writes = vec![Write::Put { table: TABLE, item: item(&change.after), expect }];
    writes.extend(moved(change.before.as_ref(), Some(&change.after)));
    writes.extend(due_activity::follow(change.before.as_ref(), Some(&change.after)));
    writes.extend(change.about.iter().map(|(record, version)| Write::Check {
        table: super::record::TABLE,
        key: super::record::key(record),
        expect: Expect::Version(*version),
    }));
    writes
}

/// The writes by which an activity is left without a record that is forgotten, or goes.
pub fn forget(before: &RecordActivity, record: &Subject) -> Vec<Write> {
    let after = before.forget(record);
    let expect = Expect::Version(before.version);
    let own = match &after {
        Some(after) => Write::Put { table: TABLE, item: item(after), expect },
        None => Write::Delete { table: TABLE, key: key(&before.id), expect },
    };
    let mut writes = vec![own];
    writes.extend(moved(Some(before), after.as_ref()));
    writes.extend(due_activity::follow(Some(before), after.as_ref()));
    writes
}

/// The writes of rows that come and go.
fn moved(before: Option<&RecordActivity>, after: Option<&RecordActivity>) -> Vec<Write> {
    let (before, after) = (before.map(rows).unwrap_or_default(), after.map(rows).unwrap_or_default());
    let gone = before.keys().filter(|key| !after.contains_key(key));
    let gone = gone.map(|key| Write::Delete { table: ROWS, key: key.clone(), expect: Expect::Any });
    let come = after.iter().filter(|(key, _)| !before.contains_key(key));
    let come = come.map(|(_, item)| Write::Put { table: ROWS, item: item.clone(), expect: Expect::Any });
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, storable, subject, text, time};
    use crate::items::kept_of;
    use crate::ports::{Durability, Transaction};

    fn activity() -> impl Strategy<Value = RecordActivity> {
        let times = (time(), proptest::option::of(time()));
        let records = proptest::collection::btree_set(subject(), 1..4);
        let who = proptest::option::of("[a-z]{1,8}");
        ("[a-z0-9]{1,12}", 1_u64..1_000, times, records, who, proptest::option::of(text())).prop_map(
            |(id, version, (created_at, due), records, assignee, note)| RecordActivity {
                id: format!("act_{id}"),
                activity: "call".to_owned(),
                version,
                status: ActivityStatus::Open,
                due,
                assignee,
                ended_at: None,
                ended_by: None,
                note,
                fields: serde_json::Map::new(),
                records: records.into_iter().collect(),
                created_at,
                created_by: None,
                execution: None,
                cause: None,
            },
        )
    }

    fn applied(mut rows: BTreeMap<Key, Item>, writes: &[Write]) -> BTreeMap<Key, Item> {
        for write in writes {
            match write {
                Write::Put { table: ROWS, item, .. } => drop(rows.insert(item.key.clone(), item.clone())),
                Write::Delete { table: ROWS, key, .. } => drop(rows.remove(key)),
                _ => {}
            }
        }
        rows
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn an_activity_is_read_as_it_was_stored(activity in activity()) {
            let item = item(&activity);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert!(is_one(&item.key));
            prop_assert_eq!(parse(&item), Ok(activity));
        }

        #[test]
        fn its_rows_follow_it_and_go_with_its_records(activity in activity(), at in time()) {
            let made = writes(&ActivityWrite { before: None, after: activity.clone(), about: Vec::new() });
            let stored = applied(BTreeMap::new(), &made);
            prop_assert_eq!(&stored, &rows(&activity));
            prop_assert!(stored.values().all(|row| kept_of(ROWS, row) == Some(KEPT) && storable(row) == Ok(())));
            let after = activity.end(ActivityStatus::Logged, (at, None)).expect("it is open");
            let ended = writes(&ActivityWrite { before: Some(activity.clone()), after: after.clone(), about: Vec::new() });
            prop_assert_eq!(Transaction { writes: ended.clone(), durability: Durability::Ordered }.validate(), Ok(()));
            let mut stored = applied(stored, &ended);
            prop_assert!(stored.keys().all(|key| key.sort.starts_with(OVER)));
            let mut left = Some(after);
            for record in &activity.records {
                let before = left.expect("it has records left");
                stored = applied(stored, &forget(&before, record));
                prop_assert!(!stored.keys().any(|key| key.partition == of_record(record)));
                left = before.forget(record);
            }
            prop_assert_eq!((left, stored), (None, BTreeMap::new()));
        }
    }

    #[test]
    fn open_ones_come_first_by_the_time_at_which_they_are_due() {
        let sort = |status, due: Option<&str>, ended: Option<&str>| {
            let time = |text: &str| text.parse::<Timestamp>().expect("it is a time");
            let activity = RecordActivity {
                id: "act_1".to_owned(),
                activity: "call".to_owned(),
                version: 1,
                status,
                due: due.map(time),
                assignee: Some("ada".to_owned()),
                ended_at: ended.map(time),
                ended_by: None,
                note: None,
                fields: serde_json::Map::new(),
                records: Vec::new(),
                created_at: Timestamp::UNIX_EPOCH,
                created_by: None,
                execution: None,
                cause: None,
            };
            rows(&activity).into_keys().next().expect("it has an assignee").sort
        };
        let sorts = [
            sort(ActivityStatus::Open, Some("2026-12-01T00:00:00Z"), None),
            sort(ActivityStatus::Open, Some("2026-12-02T00:00:00Z"), None),
            sort(ActivityStatus::Open, None, None),
            sort(ActivityStatus::Logged, Some("2026-12-01T00:00:00Z"), Some("2026-12-03T00:00:00Z")),
            sort(ActivityStatus::Canceled, None, Some("2026-12-04T00:00:00Z")),
        ];
        assert!(sorts.is_sorted(), "{sorts:?}");
    }
}
