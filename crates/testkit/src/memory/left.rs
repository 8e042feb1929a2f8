//! What a store holds, as a file: what one version leaves behind, for another to carry on.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use pawl_runtime::ports::{BlobError, BlobKey, BlobOwner, Item, Table, Timer};
use serde::{Deserialize, Serialize};

use super::MemoryStore;
use super::state::{Letter, State};

/// What a store holds at one time. Secrets and dead letters are not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// The time.
    pub at: Timestamp,
    items: BTreeMap<Table, Vec<Item>>,
    messages: Vec<Letter>,
    timers: Vec<Timer>,
    /// Contents by the owner's kind, the owner's id and the hash.
    blobs: Vec<(String, String, String, String)>,
}

impl MemoryStore {
    /// All that it holds now.
    pub fn left(&self) -> Left {
        let state = self.lock();
        let items = state.items.iter().map(|(table, items)| (*table, items.values().cloned().collect()));
        Left {
            at: self.now(),
            items: items.collect(),
            messages: state.messages.values().cloned().collect(),
            timers: state.timers.values().cloned().collect(),
            blobs: state.blobs.iter().map(|(key, content)| blob(key, content)).collect(),
        }
    }

    /// Takes over what another store held, in place of its own; its clock goes on from then.
    ///
    /// # Errors
    /// A blob has an owner or a hash that no blob has.
    pub fn take_over(&self, left: &Left) -> Result<(), BlobError> {
        let mut state = State::default();
        for (table, items) in &left.items {
            let items = items.iter().map(|item| (item.key.clone(), item.clone()));
            state.items.insert(*table, items.collect());
        }
        state.messages = (1..).zip(left.messages.iter().cloned()).collect();
        state.last_message = left.messages.len() as u64;
        state.timers = left.timers.iter().map(|timer| (timer.name.clone(), timer.clone())).collect();
        for (kind, id, hash, content) in &left.blobs {
            let owner = match kind.as_str() {
                "event" => BlobOwner::event(id),
                _ => BlobOwner::execution(id),
            };
            state.blobs.insert(BlobKey::new(&owner, hash)?, Bytes::from(content.clone()));
        }
        *self.lock() = state;
        self.clock.advance_to(left.at);
        self.ring();
        Ok(())
    }
}

fn blob(key: &BlobKey, content: &Bytes) -> (String, String, String, String) {
    let mut parts = key.as_str().splitn(3, '/').map(str::to_owned);
    let mut part = || parts.next().expect("a key has three parts");
    (part(), part(), part(), String::from_utf8(content.to_vec()).expect("what is moved to a blob is JSON"))
}
