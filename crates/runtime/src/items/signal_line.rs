//! The signals of a name and a key that nobody has received yet, first in first out: an entry for each, and the head of the
//! line.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{SentSignal, signal};
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, SortRange, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long an entry is kept, and the head after the last signal. The key is a text that its sender chose.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(72)), Erasure::WhenExpired);

/// The head of a line. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// The number of the next signal.
    pub next: u64,
    /// How many signals may come before those that are kept are counted anew.
    pub room: u64,
}

/// An entry. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The signal.
    pub id: String,
    /// When it was accepted.
    pub sent_at: Timestamp,
}

/// The partition of a topic, `signal/<name>/<key>`.
pub fn partition(topic: &str) -> String {
    format!("signals#{topic}")
}

/// The key of the head.
pub fn key(topic: &str) -> Key {
    Key::new(partition(topic), "line")
}

/// The key of an entry.
pub fn entry_key(topic: &str, number: u64) -> Key {
    Key::new(partition(topic), format!("{number:020}"))
}

/// The entries, in the order in which they were accepted.
pub fn entries() -> SortRange {
    SortRange::Between("0".to_owned(), "9~".to_owned())
}

/// The head as stored.
pub fn item(topic: &str, version: u64, line: &Line, now: Timestamp) -> Item {
    Item { key: key(topic), version, indexes: Vec::new(), expires_at: KEPT.expires_at(now), body: body(line) }
}

/// An entry as stored.
pub fn entry_item(sent: &SentSignal) -> Item {
    let key = entry_key(&signal::topic(&sent.name, &sent.key), sent.number);
    let entry = Entry { id: sent.id.clone(), sent_at: sent.sent_at };
    Item { key, version: 1, indexes: Vec::new(), expires_at: KEPT.expires_at(sent.sent_at), body: body(&entry) }
}

/// Reads the head.
pub fn parse(item: &Item) -> Result<Line, Unreadable> {
    read(item)
}

/// Reads an entry.
pub fn parse_entry(item: &Item) -> Result<Entry, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, filled, part_id, storable, time};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_line_and_its_entries_are_read_as_they_were_stored(
            id in derived_id("sig"), name in part_id(), of_key in filled(), number in any::<u64>(), other in any::<u64>(),
            sent_at in time(), room in any::<u64>(), version in 1_u64..,
        ) {
            let sent = SentSignal { id: id.clone(), name, key: of_key, number, sent_at };
            let line = Line { next: number, room };
            let (head, entry) = (item(&sent.topic(), version, &line, sent_at), entry_item(&sent));
            for item in [&head, &entry] {
                prop_assert_eq!(storable(item), Ok(()));
                prop_assert_eq!(kept_of(TABLE, item), Some(KEPT));
                prop_assert_eq!(&item.key.partition, &partition(&sent.topic()));
            }
            prop_assert_eq!(parse(&head), Ok(line));
            prop_assert_eq!(parse_entry(&entry), Ok(Entry { id, sent_at }));
            let SortRange::Between(from, to) = entries() else { unreachable!("entries stand between two keys") };
            let is_entry = |key: &Key| (from.as_str()..=to.as_str()).contains(&key.sort.as_str());
            prop_assert_eq!((is_entry(&entry.key), is_entry(&head.key)), (true, false));
            let later = entry_key(&sent.topic(), other);
            prop_assert_eq!(later.sort.cmp(&entry.key.sort), other.cmp(&number));
        }
    }
}
