//! The event that started an execution, as it was.

use pawl_engine::Event;

use super::{Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// Its key.
pub fn key(execution: &str) -> Key {
    Key::new(format!("execution#{execution}"), "event")
}

/// As stored.
pub fn item(execution: &str, event: &Event) -> Item {
    Item { key: key(execution), version: 1, indexes: Vec::new(), expires_at: None, body: body(event) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Event, Unreadable> {
    read(item)
}
