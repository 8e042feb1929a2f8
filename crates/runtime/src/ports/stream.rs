//! Messages of the storage itself on the event queue: a changed record, and a head that expired.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Item, Key, Message, Table};

/// A message on the event queue about a change in [`super::Table::Records`]. The names are stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamMessage {
    /// What changed.
    pub stream: RecordChange,
}

/// An item of [`super::Table::Records`] before and after a commit; at least one side is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordChange {
    /// The item before, unless it was absent.
    pub old: Option<Item>,
    /// The item after, unless it was deleted.
    pub new: Option<Item>,
}

#[derive(Serialize)]
struct StreamMessageRef<'a> {
    stream: RecordChangeRef<'a>,
}

#[derive(Serialize)]
struct RecordChangeRef<'a> {
    old: Option<&'a Item>,
    new: Option<&'a Item>,
}

/// The message that a commit yields for an item of [`super::Table::Records`], or none if its body is unchanged.
pub fn stream_message(old: Option<&Item>, new: Option<&Item>) -> Option<Message> {
    if old.map(|item| &item.body) == new.map(|item| &item.body) {
        return None;
    }
    let group = new.or(old).map(|item| item.key.partition.clone()).unwrap_or_default();
    let body = serde_json::to_string(&StreamMessageRef { stream: RecordChangeRef { old, new } })
        .expect("items serialize: they hold strings and numbers only");
    Some(Message { body, delay: SignedDuration::ZERO, group })
}

/// The sort key of the item that others of its partition belong to.
pub const HEAD: &str = "head";

/// A message on the event queue about an item that the storage has removed. The name is stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiredMessage {
    /// The key of the item.
    pub expired: Key,
}

/// The message that a storage sends after it has removed an expired item, or none: only the heads of
/// [`super::Table::Executions`] have others that must follow them.
pub fn expired_message(table: Table, key: &Key) -> Option<Message> {
    if table != Table::Executions || key.sort != HEAD {
        return None;
    }
    let body = serde_json::to_string(&ExpiredMessage { expired: key.clone() }).expect("a key is two strings");
    Some(Message { body, delay: SignedDuration::ZERO, group: key.partition.clone() })
}
