//! An object: the schema of a record type.

use pawl_definition::Object;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::Nothing);

/// The partition of all objects: one, so that a strong query reads them together.
pub const ALL: &str = "objects";

/// Its key.
pub fn key(id: &str) -> Key {
    Key::new(ALL, id)
}

/// As stored.
pub fn item(object: &Object, version: u64) -> Item {
    Item { key: key(&object.id), version, indexes: Vec::new(), expires_at: None, body: body(object) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Object, Unreadable> {
    read(item)
}
