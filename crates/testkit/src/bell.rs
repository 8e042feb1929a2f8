//! A bell that wakes everyone who waits for a change, in a fixed order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

#[derive(Default)]
struct Seats {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// Wakes waiting futures in the order in which they sat down, so that runs repeat exactly.
#[derive(Clone, Default)]
pub(crate) struct Bell {
    seats: Arc<Mutex<Seats>>,
}

/// A place to wait; leaving it forgets the waker.
pub(crate) struct Seat {
    bell: Bell,
    number: u64,
}

impl Bell {
    pub(crate) fn seat(&self) -> Seat {
        let mut seats = self.lock();
        seats.next += 1;
        Seat { bell: self.clone(), number: seats.next }
    }

    pub(crate) fn ring(&self) {
        let wakers = std::mem::take(&mut self.lock().wakers);
        wakers.into_values().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Asks to be woken by the next ring. Sit down first, look second: then no ring is missed.
    pub(crate) fn listen(&self, waker: &Waker) {
        self.bell.lock().wakers.insert(self.number, waker.clone());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.bell.lock().wakers.remove(&self.number);
    }
}
