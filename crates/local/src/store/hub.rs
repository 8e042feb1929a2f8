//! The part of the queues that is in memory: what is ready, what was received, and who waits.
//!
//! Only the writer offers messages, once their rows are applied; receivers take them without asking the writer.
//! Leases live here only: after a restart, or a failure of the file, all that was not deleted is ready again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pawl_runtime::ports::QueueName;
use tokio::sync::Notify;

use super::backlog::{Backlog, BacklogLimits};
use super::lane::{Lane, Letter, Taken, Wanted};
use super::schema::{QUEUES, queue_index};

/// All queues.
pub(super) struct Hub {
    lanes: [Mutex<Lane>; QUEUES.len()],
    arrivals: [Notify; QUEUES.len()],
    /// The session whose messages these are: a receipt of another one ends no lease.
    session: AtomicU64,
    pub(super) backlog: Backlog,
}

/// A message's name while it is leased.
#[derive(Clone, Copy)]
pub(super) struct Receipt {
    pub(super) session: u64,
    pub(super) id: i64,
    pub(super) attempt: u32,
}

impl Hub {
    /// An empty one.
    pub(super) fn new(limits: BacklogLimits) -> Self {
        let (lanes, arrivals) = Default::default();
        Self { lanes, arrivals, session: AtomicU64::new(1), backlog: Backlog::new(limits) }
    }

    /// Forgets everything, before a session begins.
    pub(super) fn reset(&self, session: u64) {
        let mut lanes = self.lanes.each_ref().map(|lane| lane.lock().unwrap_or_else(PoisonError::into_inner));
        self.session.store(session, Ordering::SeqCst);
        for lane in &mut lanes {
            **lane = Lane::default();
        }
        self.backlog.reset();
    }

    /// For each of some messages that are sent together, whether it may become ready now or waits on disk.
    pub(super) fn admit<'a>(&self, queue: QueueName, groups: impl IntoIterator<Item = &'a str>) -> Vec<bool> {
        let lane = self.lane(queue);
        // As if all before were of the same group: they are not offered yet.
        let fits =
            |(before, group): (usize, &str)| !lane.is_on_disk(group) && lane.room(group) > before.saturating_mul(2);
        groups.into_iter().enumerate().map(fits).collect()
    }

    /// How many more messages of a group may become ready.
    pub(super) fn room(&self, queue: QueueName, group: &str) -> usize {
        self.lane(queue).room(group)
    }

    /// Makes messages ready, each of a group.
    pub(super) fn offer(&self, queue: QueueName, letters: impl IntoIterator<Item = (String, Letter)>) {
        let mut lane = self.lane(queue);
        for (group, letter) in letters {
            lane.offer(&group, letter);
        }
        drop(lane);
        self.arrivals(queue).notify_one();
    }

    /// Notes whether messages of a group wait on disk.
    pub(super) fn set_on_disk(&self, queue: QueueName, group: &str, on_disk: bool) {
        self.lane(queue).set_on_disk(group, on_disk);
    }

    /// Notes that messages of a group wait on disk and have room.
    pub(super) fn ask(&self, queue: QueueName, group: &str) {
        self.lane(queue).ask(group);
    }

    /// The groups whose messages on disk have room now.
    pub(super) fn wanting(&self, queue: QueueName) -> Vec<Arc<str>> {
        self.lane(queue).wanting()
    }

    /// Takes messages; says of which session they are.
    pub(super) fn take(&self, queue: QueueName, wanted: &Wanted) -> (u64, Taken) {
        let mut lane = self.lane(queue);
        let taken = lane.take(queue, wanted);
        let session = self.session.load(Ordering::SeqCst);
        self.backlog.remove(taken.given_back.len(), taken.bytes_given_back);
        drop(lane);
        if taken.has_more {
            self.arrivals(queue).notify_one();
        }
        (session, taken)
    }

    /// Ends a lease; answers false if it had ended, or the message was received again since.
    pub(super) fn release(&self, queue: QueueName, receipt: Receipt) -> bool {
        let mut lane = self.lane(queue);
        if self.session.load(Ordering::SeqCst) != receipt.session {
            return false;
        }
        let Some(bytes) = lane.release(receipt.id, receipt.attempt) else { return false };
        self.backlog.remove(1, bytes);
        if lane.unblock() {
            self.arrivals(queue).notify_one();
        }
        true
    }

    /// Rings when something may have arrived.
    pub(super) fn arrivals(&self, queue: QueueName) -> &Notify {
        &self.arrivals[queue_index(queue)]
    }

    /// Lets every receiver look again.
    pub(super) fn wake_all(&self) {
        self.arrivals.iter().for_each(Notify::notify_waiters);
        self.arrivals.iter().for_each(Notify::notify_one);
    }

    fn lane(&self, queue: QueueName) -> MutexGuard<'_, Lane> {
        self.lanes[queue_index(queue)].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
