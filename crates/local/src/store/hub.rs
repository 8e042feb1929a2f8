//! The part of the queues that is in memory: what is ready, what was received, and who waits.
//!
//! Only the writer offers messages, once their rows are applied; receivers take them without asking the writer.
//! Leases live here only: after a restart all that was not deleted is ready again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pawl_runtime::ports::QueueName;
use tokio::sync::Notify;

use super::request::GivenBack;
use super::schema::queue_index;

/// Most messages of a queue that are ready in memory; the others wait on disk.
const CAPACITY: usize = 10_000;

/// With so few ready, the writer is asked for those on disk.
const LOW: usize = CAPACITY / 2;

/// A message that is ready.
pub(super) struct Letter {
    pub(super) id: i64,
    pub(super) body: String,
    /// How often it was received so far.
    pub(super) attempt: u32,
    pub(super) sent_at: i64,
}

struct Lease {
    attempt: u32,
    until: i64,
}

#[derive(Default)]
struct Lane {
    ready: VecDeque<Letter>,
    leases: BTreeMap<i64, Lease>,
    ends: BTreeSet<(i64, i64)>,
    /// Whether due messages wait on disk for room.
    backlog: bool,
}

/// What a receiver got.
pub(super) struct Taken {
    /// Now leased; the attempt counts this time.
    pub(super) letters: Vec<Letter>,
    /// Whose lease ended; they go back through the writer.
    pub(super) given_back: Vec<GivenBack>,
    /// Whether the writer should move messages from disk.
    pub(super) wants_more: bool,
    /// When the next lease ends.
    pub(super) next_end: Option<i64>,
}

/// All queues.
#[derive(Default)]
pub(super) struct Hub {
    lanes: [Mutex<Lane>; 3],
    arrivals: [Notify; 3],
    stopped: OnceLock<String>,
}

impl Hub {
    /// How many more messages of a queue may become ready.
    pub(super) fn room(&self, queue: QueueName) -> usize {
        CAPACITY.saturating_sub(self.lane(queue).ready.len())
    }

    /// Makes messages ready.
    pub(super) fn offer(&self, queue: QueueName, letters: impl IntoIterator<Item = Letter>) {
        self.lane(queue).ready.extend(letters);
        self.arrivals(queue).notify_one();
    }

    /// Notes that messages wait on disk for room; answers false if there is room after all.
    pub(super) fn wait_for_room(&self, queue: QueueName) -> bool {
        let mut lane = self.lane(queue);
        lane.backlog = lane.ready.len() > LOW;
        lane.backlog
    }

    /// Takes up to `max` messages, hidden until a time.
    pub(super) fn take(&self, queue: QueueName, max: usize, now: i64, until: i64) -> Taken {
        let mut lane = self.lane(queue);
        let given_back = lane.end_leases(queue, now);
        let count = max.min(lane.ready.len());
        let mut letters: Vec<Letter> = lane.ready.drain(..count).collect();
        for letter in &mut letters {
            letter.attempt += 1;
            lane.leases.insert(letter.id, Lease { attempt: letter.attempt, until });
            lane.ends.insert((until, letter.id));
        }
        if !lane.ready.is_empty() {
            self.arrivals(queue).notify_one();
        }
        let wants_more = lane.backlog && lane.ready.len() <= LOW;
        lane.backlog &= !wants_more;
        Taken { letters, given_back, wants_more, next_end: lane.ends.first().map(|(end, _)| *end) }
    }

    /// Ends a lease; answers false if it had ended, or the message was received again since.
    pub(super) fn release(&self, queue: QueueName, id: i64, attempt: u32) -> bool {
        let mut lane = self.lane(queue);
        match lane.leases.get(&id) {
            Some(lease) if lease.attempt == attempt => {
                let end = (lease.until, id);
                lane.leases.remove(&id);
                lane.ends.remove(&end);
                true
            }
            _ => false,
        }
    }

    /// Rings when something may have arrived.
    pub(super) fn arrivals(&self, queue: QueueName) -> &Notify {
        &self.arrivals[queue_index(queue)]
    }

    /// Lets every receiver look again.
    pub(super) fn wake_all(&self) {
        self.arrivals.iter().for_each(Notify::notify_waiters);
    }

    /// Ends all waiting for good. The first reason stays.
    pub(super) fn stop(&self, reason: &str) {
        self.stopped.get_or_init(|| reason.to_owned());
        self.wake_all();
        self.arrivals.iter().for_each(Notify::notify_one);
    }

    /// Why the store stopped, if it did.
    pub(super) fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    fn lane(&self, queue: QueueName) -> MutexGuard<'_, Lane> {
        self.lanes[queue_index(queue)].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn end_leases(&mut self, queue: QueueName, now: i64) -> Vec<GivenBack> {
        let mut ended = Vec::new();
        while let Some((end, id)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            self.ends.remove(&(end, id));
            let attempt = self.leases.remove(&id).expect("every end belongs to a lease").attempt;
            ended.push(GivenBack { queue, id, attempt, due: now });
        }
        ended
    }
}
