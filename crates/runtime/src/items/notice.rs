//! A notice to people, committed with the transition that decided it.

use jiff::SignedDuration;

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::ports::{Index, IndexEntry, Item, Key, Notice, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// The partition of all notices.
pub const PARTITION: &str = "notices";

/// The partition of those not handed on yet, in the first index.
pub const UNSENT: &str = "notices#unsent";

/// How long notices are kept.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 90)), Erasure::WhenExpired);

/// Its key.
pub fn key(notice: &Notice) -> Key {
    Key::new(PARTITION, format!("{}#{}", sortable(notice.at), notice.id))
}

/// As stored: version 1 until it is handed on, then 2.
pub fn item(notice: &Notice, sent: bool) -> Item {
    let key = key(notice);
    let unsent = IndexEntry { index: Index::Gsi1, partition: UNSENT.to_owned(), sort: key.sort.clone() };
    let indexes = if sent { Vec::new() } else { vec![unsent] };
    Item { key, version: if sent { 2 } else { 1 }, indexes, expires_at: KEPT.expires_at(notice.at), body: body(notice) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Notice, Unreadable> {
    read(item)
}
