//! What a memory store holds.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use pawl_runtime::ports::{BlobKey, DeadLetter, Item, Key, Message, QueueName, Table, Timer, expired_message};
use serde::{Deserialize, Serialize};

/// Everything, in one piece, so that one lock makes a transaction.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) items: BTreeMap<Table, BTreeMap<Key, Item>>,
    pub(super) messages: BTreeMap<u64, Letter>,
    pub(super) last_message: u64,
    /// Messages that were given up, with their queues, oldest first.
    pub(super) dead: Vec<DeadLetter>,
    pub(super) timers: BTreeMap<String, Timer>,
    pub(super) blobs: BTreeMap<BlobKey, Bytes>,
    pub(super) secrets: BTreeMap<String, String>,
    /// When the first of the items expires that were put since the last look; `None` if none does.
    pub(super) first_expiry: Option<Timestamp>,
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) queue: QueueName,
    pub(super) body: String,
    pub(super) group: String,
    pub(super) sent_at: Timestamp,
    /// Hidden until then: by its delay, by a receiver's visibility or because it was given back.
    pub(super) visible_at: Timestamp,
    pub(super) attempt: u32,
    pub(super) put_off: u32,
}

impl State {
    /// Puts a message into a queue.
    pub(super) fn send(&mut self, queue: QueueName, message: Message, now: Timestamp) {
        self.last_message += 1;
        let visible_at = now.saturating_add(message.delay).expect("a signed duration has no calendar units");
        let Message { body, group, .. } = message;
        let letter = Letter { queue, body, group, sent_at: now, visible_at, attempt: 0, put_off: 0 };
        self.messages.insert(self.last_message, letter);
    }

    /// Removes what has expired, and tells of it.
    fn remove_expired(&mut self, now: Timestamp) {
        if self.first_expiry.is_none_or(|at| now < at) {
            return;
        }
        let mut messages = Vec::new();
        for (table, items) in &mut self.items {
            let expired: Vec<Key> =
                items.values().filter(|item| !item.is_live(now)).map(|item| item.key.clone()).collect();
            for key in expired {
                items.remove(&key);
                messages.extend(expired_message(*table, &key));
            }
        }
        self.first_expiry = self.items.values().flat_map(BTreeMap::values).filter_map(|item| item.expires_at).min();
        for message in messages {
            self.send(QueueName::Events, message, now);
        }
    }

    /// Moves the timers that are due to their queues, earliest first, after what has expired. Called before anything that could tell.
    pub(super) fn fire_timers(&mut self, now: Timestamp) {
        self.remove_expired(now);
        let mut due: Vec<(Timestamp, String)> = self
            .timers
            .values()
            .filter(|timer| timer.due <= now)
            .map(|timer| (timer.due, timer.name.clone()))
            .collect();
        due.sort();
        for (_, name) in due {
            let Timer { queue, mut message, .. } = self.timers.remove(&name).expect("the name was just read");
            message.delay = jiff::SignedDuration::ZERO;
            self.send(queue, message, now);
        }
    }
}
