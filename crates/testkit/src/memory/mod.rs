//! The storage ports in memory: deterministic, on virtual time, without a thread or a task of its own.
//!
//! - [`MemoryStore`] hands out one port at a time; all share one state, so a timer reaches the queue and a changed
//!   record its stream message.
//! - Every call is carried out at once when it is polled. Faults, delays and interleavings are for decorators that
//!   implement the same ports around these.

mod blobs;
mod dead_letters;
mod inspect;
mod left;
mod queue;
mod secrets;
mod state;
mod tables;
mod timers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use pawl_runtime::ports::{Blobs, Clock, DeadLetters, Queue, QueueSource, Secrets, Tables, Timers};

pub use inspect::{Checkpoint, StoredMessage};
pub use left::Left;
pub use tables::UNHEARD_FOR;

use crate::VirtualClock;
use state::State;

/// All of storage in memory. Clones share the state.
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    clock: VirtualClock,
}

impl MemoryStore {
    /// Makes an empty store that lives on a clock.
    pub fn new(clock: VirtualClock) -> Self {
        Self { state: Arc::default(), clock }
    }

    /// The clock that it lives on.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// Its tables.
    pub fn tables(&self) -> Arc<dyn Tables> {
        Arc::new(self.clone())
    }

    /// The sending side of its queues.
    pub fn queue(&self) -> Arc<dyn Queue> {
        Arc::new(self.clone())
    }

    /// The receiving side of its queues.
    pub fn source(&self) -> Arc<dyn QueueSource> {
        Arc::new(self.clone())
    }

    /// What its queues gave up; see [`MemoryStore::give_up`].
    pub fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        Arc::new(self.clone())
    }

    /// Its timers.
    pub fn timers(&self) -> Arc<dyn Timers> {
        Arc::new(self.clone())
    }

    /// Its blobs.
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::new(self.clone())
    }

    /// Its secrets; see [`MemoryStore::set_secret`].
    pub fn secrets(&self) -> Arc<dyn Secrets> {
        Arc::new(self.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everyone who waits for a message.
    fn ring(&self) {
        self.clock.bell().ring();
    }
}
