//! When the sweeper woke what, so that it does not chase a queue that is only long.
//!
//! An overdue execution has lost its job, or its job stands in a queue with many before it. The sweeper cannot tell which,
//! and a second job for each execution that waits its turn, minute after minute, would make the queue longer than the
//! work in it. So it waits longer after each time that it woke the same transition.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::Execution;

use crate::ports::Item;

/// The wait after the first time; a little less than the minute between two sweeps. It doubles with each time.
const FIRST: SignedDuration = SignedDuration::from_secs(55);

/// The longest wait.
const MOST: SignedDuration = SignedDuration::from_mins(15);

/// What this process woke, by execution and transition, or by item and version. Another process knows nothing of it and wakes once more: that
/// is harmless.
#[derive(Default)]
pub(crate) struct WakeBackoff(Mutex<BTreeMap<(String, u64), Woken>>);

struct Woken {
    at: Timestamp,
    wait: SignedDuration,
    seen: Timestamp,
}

impl WakeBackoff {
    /// Whether an overdue execution is to be woken now; if so, that is noted.
    pub(crate) fn is_time(&self, execution: &Execution, now: Timestamp) -> bool {
        self.is_time_of((execution.id.clone(), execution.seq), now)
    }

    /// Whether the message of an item that is due is to be sent now; if so, that is noted.
    pub(crate) fn is_time_of_item(&self, item: &Item, now: Timestamp) -> bool {
        self.is_time_of((format!("{}/{}", item.key.partition, item.key.sort), item.version), now)
    }

    fn is_time_of(&self, key: (String, u64), now: Timestamp) -> bool {
        let mut woken = self.0.lock().expect("no holder panics");
        let Some(before) = woken.get_mut(&key) else {
            woken.insert(key, Woken { at: now, wait: FIRST, seen: now });
            return true;
        };
        before.seen = now;
        let is_time = now.duration_since(before.at) >= before.wait;
        if is_time {
            *before = Woken { at: now, wait: (before.wait * 2).min(MOST), seen: now };
        }
        is_time
    }

    /// Forgets what was not overdue any more at this sweep.
    pub(crate) fn forget_all_but(&self, sweep: Timestamp) {
        self.0.lock().expect("no holder panics").retain(|_, woken| woken.seen >= sweep);
    }
}
