//! A row of an execution's history.

use pawl_engine::Row;

use super::{Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// Before the number in the sort key.
pub const PREFIX: &str = "row#";

/// The partition of an execution.
pub fn partition(execution: &str) -> String {
    format!("execution#{execution}")
}

/// Its key.
pub fn key(execution: &str, seq: u64) -> Key {
    Key::new(partition(execution), format!("{PREFIX}{seq:010}"))
}

/// As stored.
pub fn item(execution: &str, row: &Row) -> Item {
    Item { key: key(execution, row.seq), version: 1, indexes: Vec::new(), expires_at: None, body: body(row) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Row, Unreadable> {
    read(item)
}
