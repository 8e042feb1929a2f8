//! Decorators around the ports: every call can be overtaken, held up, refused, lost or cut off, before and after it
//! takes effect.

mod cloud;
mod machines;
mod outside;
mod queue;
mod storage;
mod tables;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::{Clock, NoDeadLetters, QueueSource};
use pawl_runtime::{OutsidePorts, Ports};

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

/// What one process is wired over.
pub(super) struct Wires {
    pub(super) ports: Ports,
    pub(super) outside: OutsidePorts,
    /// The receiving side of its queues.
    pub(super) source: Arc<dyn QueueSource>,
}

/// The ports of one process.
pub(super) fn wires(hub: &Arc<Hub>, skew: SignedDuration, random: &Arc<SeededRandom>) -> Wires {
    let outside = Arc::new(Outside::new(hub.clone()));
    let queues = Arc::new(Queues::new(hub.clone()));
    let storage = Arc::new(Storage::new(hub.clone()));
    let tables = Arc::new(WatchedTables::new(hub.clone()));
    let clock = Arc::new(SkewedClock { clock: hub.clock.clone(), skew });
    let ports = Ports::over(tables, queues.clone(), storage.clone(), clock, random.clone())
        .with_timers(queues.clone())
        .with_dead_letters(Arc::new(NoDeadLetters))
        .with_notifier(outside.clone());
    let (http, models, cloud) = (outside.clone(), outside.clone(), outside.clone());
    let outside = OutsidePorts { secrets: storage, http, models, state_machines: outside, cloud };
    Wires { ports, outside, source: queues }
}
