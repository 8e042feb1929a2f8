//! A goal that waits on a topic.

use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// The partition of a topic.
pub fn partition(topic: &str) -> String {
    format!("waiter#{topic}")
}

/// Its key; the sort key is the execution's id.
pub fn key(topic: &str, execution: &str) -> Key {
    Key::new(partition(topic), execution)
}

/// As stored.
pub fn item(topic: &str, execution: &str) -> Item {
    Item { key: key(topic, execution), version: 1, indexes: Vec::new(), expires_at: None, body: "{}".to_owned() }
}
