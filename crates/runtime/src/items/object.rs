//! An object: the schema of a record type, as it is now and in its revisions.

use pawl_definition::Object;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::Nothing);

/// The partition of all objects: one, so that a strong query reads them together.
pub const ALL: &str = "objects";

/// The partition of the revisions of all objects.
pub const REVISIONS: &str = "object-revisions";

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

/// The key of an object as it was saved with a revision of the objects.
pub fn revision_key(id: &str, revision: u64) -> Key {
    Key::new(REVISIONS, format!("{id}#{revision:010}"))
}

/// A revision as stored; it never changes.
pub fn revision_item(object: &Object, revision: u64) -> Item {
    let key = revision_key(&object.id, revision);
    Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: body(object) }
}

/// The revision of the objects with which the object under a key was saved.
pub fn revision_of(key: &Key) -> Option<u64> {
    key.sort.rsplit_once('#')?.1.parse().ok()
}
