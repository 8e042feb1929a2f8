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

/// Reads them, oldest first.
pub fn parse(item: &Item) -> Result<Vec<Row>, Unreadable> {
    Ok(read::<Rows<Row>>(item)?.rows)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Rows<R> {
    rows: Vec<R>,
}
