//! Rows of an execution's history that no longer stand in its head: several in one item.

use pawl_engine::Row;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Expect, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold: rows hold values of records and events, as outputs and as what
/// they were decided on.
pub const KEPT: Kept = Kept::new(Retention::WithExecution, Erasure::WithExecution);

/// Before the number in the sort key.
pub const PREFIX: &str = "rows#";

/// Most bytes of rows in one item, if there is more than one. A row by itself is smaller than any item may be: its large
/// values are offloaded.
const MOST: usize = 128 * 1024;

/// The partition of an execution.
pub fn partition(execution: &str) -> String {
    format!("execution#{execution}")
}

/// Its key, by the last of its rows: what follows a row begins with the first item that sorts behind it.
pub fn key(execution: &str, last: u64) -> Key {
    Key::new(partition(execution), sort(last))
}

/// The sort key of the item whose last row is this one.
pub fn sort(last: u64) -> String {
    format!("{PREFIX}{last:010}")
}

/// The last row of the item under a key.
pub fn last(key: &Key) -> Option<u64> {
    key.sort.strip_prefix(PREFIX)?.parse().ok()
}

/// Writes rows, oldest first, as few items.
pub fn writes(execution: &str, rows: &[Row]) -> Vec<Write> {
    let mut packs: Vec<(usize, Vec<&Row>)> = Vec::new();
    for row in rows {
        let bytes = body(row).len();
        match packs.last_mut().filter(|(filled, _)| filled + bytes <= MOST) {
            Some((filled, pack)) => {
                *filled += bytes;
                pack.push(row);
            }
            None => packs.push((bytes, vec![row])),
        }
    }
    packs.into_iter().filter_map(|(_, pack)| write(execution, pack)).collect()
}

fn write(execution: &str, rows: Vec<&Row>) -> Option<Write> {
    let key = key(execution, rows.last()?.seq);
    let item = Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: body(&Rows { rows }) };
    Some(Write::Put { table: TABLE, item, expect: Expect::Absent })
}

/// The item with other rows in the place of its own.
pub(crate) fn rewritten(item: &Item, rows: &[Row]) -> Item {
    Item { version: item.version + 1, body: body(&Rows { rows: rows.iter().collect() }), ..item.clone() }
}

/// Reads them, oldest first.
pub fn parse(item: &Item) -> Result<Vec<Row>, Unreadable> {
    Ok(read::<Rows<Row>>(item)?.rows)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Rows<R> {
    rows: Vec<R>,
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, put, row, storable};
    use crate::items::kept_of;

    /// Rows in order, some so long that few fit an item.
    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let long = prop_oneof![3 => Just(None), 1 => (0..MOST * 2).prop_map(Some)];
        (1_u64..9_999_999_000, vec((row(), long), 1..6)).prop_map(|(first, rows)| {
            let numbered = (first..).zip(rows).map(|(seq, (row, long))| {
                let note = long.map_or(row.note.clone(), |bytes| Some("x".repeat(bytes)));
                Row { seq, note, ..row }
            });
            numbered.collect()
        })
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn rows_are_read_as_they_were_stored(rows in rows(), execution in derived_id("exe")) {
            let items: Vec<_> = writes(&execution, &rows).into_iter().map(put).collect();
            let mut read = Vec::new();
            for item in &items {
                prop_assert_eq!(storable(item), Ok(()));
                prop_assert_eq!(kept_of(TABLE, item), Some(KEPT));
                let packed = parse(item).expect("rows have their shape");
                prop_assert_eq!(last(&item.key), packed.last().map(|row| row.seq));
                prop_assert!(packed.len() == 1 || item.body.len() <= MOST + 100, "{} bytes", item.body.len());
                read.extend(packed);
            }
            prop_assert_eq!(read, rows);
            prop_assert!(items.is_sorted_by(|before, after| before.key < after.key), "items stand in the order of rows");
        }

        #[test]
        fn what_follows_a_row_sorts_behind_it(one in 0_u64..10_000_000_000, other in 0_u64..10_000_000_000) {
            prop_assert_eq!(sort(one).cmp(&sort(other)), one.cmp(&other));
        }
    }
}
