//! Stream messages: the form of a changed record on the event queue.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Item, Message};

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
