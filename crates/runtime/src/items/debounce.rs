//! Events that are collected until a burst is over: the window of a key, and the events in it.
//!
//! An event is written in the transaction that counts it in the window, with a mark in the place of the execution that it would
//! have started. So no event is lost, and none is in two windows. The transaction that makes the execution deletes the window.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Event, ids};
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::ports::{Index, IndexEntry, Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Executions;

/// A window is open for a day at most. Its events are kept so much longer that an outage loses none; they are deleted with the
/// window, and what a crash leaves of them expires.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 30)), Erasure::WhenExpired);

/// The partition of open windows in the first index, by the time at which they close.
pub const OPEN: &str = "windows";

/// The partitions that are spread: each event is a write.
pub const SPREAD: &[Spread] = &[Spread::entries(Index::Gsi1, OPEN)];

const PARTITION: &str = "debounce#";
const WINDOW: &str = "window";

/// A window. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Workflow.
    pub workflow: String,
    /// The id of the event that its events become: derived from workflow, key and first event.
    pub id: String,
    /// The trigger that the last event matched.
    pub trigger: String,
    /// When the first event came.
    pub opened_at: Timestamp,
    /// When it closes, if no other event comes.
    pub due: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// The partition of the window of a key, its events among it.
pub fn partition(workflow: &str, key: &str) -> String {
    format!("{PARTITION}{workflow}#{}", ids::slot_key_digest(key))
}

/// The workflow of a window, by its partition.
pub fn workflow(partition: &str) -> &str {
    partition.split('#').nth(1).unwrap_or_default()
}

/// The key of a window.
pub fn key(partition: &str) -> Key {
    Key::new(partition, WINDOW)
}

/// A window as stored.
pub fn item(partition: &str, window: &Window, version: u64) -> Item {
    let entry = IndexEntry { index: Index::Gsi1, partition: OPEN.to_owned(), sort: sortable(window.due) };
    let expires_at = KEPT.expires_at(window.due);
    Item { key: key(partition), version, indexes: vec![entry], expires_at, body: body(window) }
}

/// Reads a window.
pub fn parse(item: &Item) -> Result<Window, Unreadable> {
    read(item)
}

/// What the keys of the events of a window begin with.
pub fn prefix(window: &Window) -> String {
    format!("{}#", window.id)
}

/// An event of a window as stored, by its number in it.
pub fn event_item(partition: &str, window: &Window, event: &Event) -> Item {
    let key = Key::new(partition, format!("{}{:06}", prefix(window), window.events));
    Item { key, version: 1, indexes: Vec::new(), expires_at: KEPT.expires_at(window.due), body: body(event) }
}

/// Whether a key is that of an event of a window.
pub fn is_event(key: &Key) -> bool {
    key.partition.starts_with(PARTITION) && key.sort != WINDOW
}

/// Reads an event of a window.
pub fn parse_event(item: &Item) -> Result<Event, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{event, few, part_id, storable, time, workflow_id};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_window_and_its_events_are_read_as_they_were_stored(
            workflow in workflow_id(), key in ".{0,20}", trigger in part_id(), opened_at in time(), due in time(),
            counts in any::<(u32, u32)>(), event in event(), version in 1_u64..,
        ) {
            let (events, bytes) = (counts.0.into(), counts.1.into());
            let window = Window { id: event.id.clone(), workflow, trigger, opened_at, due, events, bytes };
            let partition = partition(&window.workflow, &key);
            prop_assert_eq!(super::workflow(&partition), &window.workflow);
            for item in [item(&partition, &window, version), event_item(&partition, &window, &event)] {
                prop_assert_eq!(storable(&item), Ok(()));
                prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            }
            prop_assert_eq!(parse(&item(&partition, &window, version)), Ok(window.clone()));
            prop_assert_eq!(parse_event(&event_item(&partition, &window, &event)), Ok(event));
        }
    }
}
