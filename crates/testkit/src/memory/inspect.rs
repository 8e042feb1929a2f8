//! Looking into a memory store from outside the ports, for invariants.

use jiff::Timestamp;
use pawl_runtime::SCHEDULE_TIMER;
use pawl_runtime::items::date::{self, DateEntry};
use pawl_runtime::items::due_activity::{self, DueActivity};
use pawl_runtime::ports::{BlobKey, Item, Key, QueueName, Table, Timer};

use super::MemoryStore;
use super::state::State;

/// A message as it lies in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// JSON text.
    pub body: String,
    /// Fairness group.
    pub group: String,
    /// When it was first sent.
    pub sent_at: Timestamp,
    /// Hidden until then, by its delay or by a receiver.
    pub visible_at: Timestamp,
    /// How often it was received.
    pub attempt: u32,
}

impl MemoryStore {
    /// All live items of a table, ordered by key.
    pub fn items(&self, table: Table) -> Vec<Item> {
        let (state, now) = (self.lock(), self.now());
        let items = state.items.get(&table).into_iter().flat_map(|items| items.values());
        items.filter(|item| item.is_live(now)).cloned().collect()
    }

    /// The keys of all blobs.
    pub fn blob_keys(&self) -> Vec<BlobKey> {
        self.lock().blobs.keys().cloned().collect()
    }

    /// Writes another body over a stored item, as a fault of storage or another version does: the port would refuse it.
    pub fn damage(&self, table: Table, key: &Key, body: &str) {
        let mut state = self.lock();
        let item = state.items.get_mut(&table).and_then(|items| items.get_mut(key)).expect("the item is there");
        body.clone_into(&mut item.body);
    }

    /// All messages of a queue that nobody has deleted, in the order in which they were sent.
    pub fn messages(&self, queue: QueueName) -> Vec<StoredMessage> {
        let letters = self.lock();
        let letters = letters.messages.values().filter(|letter| letter.queue == queue).cloned();
        letters
            .map(|letter| StoredMessage {
                body: letter.body,
                group: letter.group,
                sent_at: letter.sent_at,
                visible_at: letter.visible_at,
                attempt: letter.attempt,
            })
            .collect()
    }

    /// Forgets the messages of the event queue beyond the first ones: a story puts things there silently.
    pub(crate) fn forget_events(&self, kept: usize) {
        let mut state = self.lock();
        let events = state.messages.iter().filter(|(_, letter)| letter.queue == QueueName::Events);
        let forgotten: Vec<u64> = events.map(|(id, _)| *id).skip(kept).collect();
        for id in forgotten {
            state.messages.remove(&id);
        }
    }

    /// Loses all messages of a queue.
    pub fn lose_messages(&self, queue: QueueName) {
        self.lock().messages.retain(|_, letter| letter.queue != queue);
    }

    /// All timers that have not fired, ordered by name. One that is due fires when someone receives.
    pub fn pending_timers(&self) -> Vec<Timer> {
        self.lock().timers.values().cloned().collect()
    }

    /// The earliest time at which a timer or a message is or becomes due; a driver moves the clock there when
    /// nobody can go on.
    pub fn next_due(&self) -> Option<Timestamp> {
        let state = self.lock();
        let timers = state.timers.values().map(|timer| timer.due);
        timers.chain(state.messages.values().map(|letter| letter.visible_at)).min()
    }

    /// When dates of records are due, each with its workflow, trigger and record, the first first.
    pub fn dates(&self) -> Vec<DateEntry> {
        let items = self.items(date::TABLE).into_iter().filter(|item| item.key.partition.starts_with("dates#"));
        let mut entries: Vec<_> = items.filter_map(|item| date::parse(&item).ok()).collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// When open activities are due, each with its id, the first first.
    pub fn due_activities(&self) -> Vec<DueActivity> {
        let is_due = |item: &Item| item.key.partition.starts_with(due_activity::PREFIX);
        let items = self.items(due_activity::TABLE).into_iter().filter(is_due);
        let mut all: Vec<_> = items.filter_map(|item| due_activity::parse(&item).ok()).collect();
        all.sort_by_key(|due| due.at);
        all
    }

    /// Whether nothing is under way but schedules that wait for their next firing, which may never end.
    pub fn only_schedules_wait(&self) -> bool {
        let state = self.lock();
        state.messages.is_empty() && state.timers.keys().all(|name| name.starts_with(SCHEDULE_TIMER))
    }
}

/// All of a store at one time.
#[derive(Clone)]
pub struct Checkpoint(State);

impl MemoryStore {
    /// What a loss of power at this moment would keep, if everything is durable.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint(self.lock().clone())
    }

    /// Goes back to an earlier moment, as after a loss of power.
    pub fn restore(&self, checkpoint: &Checkpoint) {
        *self.lock() = checkpoint.0.clone();
        self.ring();
    }
}
