//! A signal that was sent, by its id, and what became of it. They are two items, so that the execution that receives a signal
//! writes what became of it without reading the signal.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{SentSignal, TakenSignal};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Keys;

/// How long a signal is kept that nobody waits for, and a repeat of it is recognised. Its payload may hold values of a
/// record.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(72)), Erasure::WhenExpired);

/// The partitions that are spread: each signal is a write, and nobody queries them.
pub const SPREAD: &[Spread] = &[Spread::keys("signal")];

/// A signal. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Name.
    pub name: String,
    /// Key.
    pub key: String,
    /// Payload.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// Its place among the signals of its name and key.
    pub number: u64,
    /// When it was accepted.
    pub sent_at: Timestamp,
}

/// What became of a signal. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The execution that received or refused it.
    pub execution: String,
    /// Its step.
    pub step: String,
    /// Why it was refused; absent if it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Signal {
    /// The signal, given its id.
    pub fn sent(&self, id: &str) -> SentSignal {
        let Self { name, key, number, sent_at, .. } = self.clone();
        SentSignal { id: id.to_owned(), name, key, number, sent_at }
    }
}

/// The key of a signal.
pub fn key(id: &str) -> Key {
    Key::new("signal", id)
}

/// The key of what became of it.
pub fn taken_key(id: &str) -> Key {
    Key::new("signal", format!("{id}#taken"))
}

/// A signal as stored.
pub fn item(id: &str, signal: &Signal) -> Item {
    let expires_at = KEPT.expires_at(signal.sent_at);
    Item { key: key(id), version: 1, indexes: Vec::new(), expires_at, body: body(signal) }
}

/// What became of it, as stored.
pub fn taken_item(taken: &TakenSignal, execution: &str) -> Item {
    let TakenSignal { signal, step, refused } = taken.clone();
    let expires_at = KEPT.expires_at(signal.sent_at);
    let body = body(&Taken { execution: execution.to_owned(), step, refused });
    Item { key: taken_key(&signal.id), version: 1, indexes: Vec::new(), expires_at, body }
}

/// Reads a signal.
pub fn parse(item: &Item) -> Result<Signal, Unreadable> {
    read(item)
}

/// Reads what became of it.
pub fn parse_taken(item: &Item) -> Result<Taken, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, filled, part_id, storable, text, time};
    use crate::items::kept_of;

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_signal_and_what_became_of_it_are_read_as_they_were_stored(
            id in derived_id("sig"), name in part_id(), of_key in filled(), said in text(), number in any::<u64>(),
            sent_at in time(), execution in derived_id("exe"), step in part_id(), refused in of(text()),
        ) {
            let signal = Signal { name, key: of_key, payload: said.into(), number, sent_at };
            let stored = item(&id, &signal);
            prop_assert_eq!(storable(&stored), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &stored), Some(KEPT));
            prop_assert_eq!(parse(&stored), Ok(signal.clone()));
            let taken = TakenSignal { signal: signal.sent(&id), step: step.clone(), refused: refused.clone() };
            let stored = taken_item(&taken, &execution);
            prop_assert_eq!(storable(&stored), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &stored), Some(KEPT));
            prop_assert_eq!(parse_taken(&stored), Ok(Taken { execution, step, refused }));
        }
    }
}
