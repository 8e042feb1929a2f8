//! Decorators around the ports: every call can be overtaken, held up, refused, lost or cut off, before and after it
//! takes effect.

mod machines;
mod outside;
mod queue;
mod storage;
mod tables;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_runtime::Ports;
use pawl_runtime::ports::{Clock, NoDeadLetters, QueueSource};

use self::outside::Outside;
use self::queue::Queues;
pub(super) use self::queue::short;
use self::storage::Storage;
use self::tables::WatchedTables;
use super::hub::Hub;
use pawl_testkit::{SeededRandom, VirtualClock};

/// A clock that is ahead or behind.
struct SkewedClock {
    clock: VirtualClock,
    skew: SignedDuration,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.clock.now() + self.skew
    }
}

/// The ports of one process, and the receiving side of its queues.
pub(super) fn ports(hub: &Arc<Hub>, skew: SignedDuration, random: &Arc<SeededRandom>) -> (Ports, Arc<dyn QueueSource>) {
    let outside = Arc::new(Outside::new(hub.clone()));
    let queues = Arc::new(Queues::new(hub.clone()));
    let storage = Arc::new(Storage::new(hub.clone()));
    let ports = Ports {
        tables: Arc::new(WatchedTables::new(hub.clone())),
        queue: queues.clone(),
        dead_letters: Arc::new(NoDeadLetters),
        timers: queues.clone(),
        blobs: storage.clone(),
        secrets: storage,
        http: outside.clone(),
        models: outside.clone(),
        state_machines: outside.clone(),
        notifier: outside,
        clock: Arc::new(SkewedClock { clock: hub.clock.clone(), skew }),
        random: random.clone(),
    };
    (ports, queues)
}
