//! Virtual time.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::Clock;

use crate::bell::Bell;

/// A clock that moves only when it is told to. Clones share the time.
#[derive(Clone)]
pub struct VirtualClock {
    now: Arc<Mutex<Timestamp>>,
    bell: Bell,
}

impl VirtualClock {
    /// Makes a clock that stands at a time.
    pub fn new(now: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(now)), bell: Bell::default() }
    }

    /// Moves forward and wakes everyone who waits.
    pub fn advance(&self, span: SignedDuration) {
        let target = self.lock().saturating_add(span).expect("a signed duration has no calendar units");
        self.advance_to(target);
    }

    /// Moves to a time and wakes everyone who waits; a time that has passed changes nothing.
    pub fn advance_to(&self, target: Timestamp) {
        {
            let mut now = self.lock();
            if target <= *now {
                return;
            }
            *now = target;
        }
        self.bell.ring();
    }

    /// Waits until the clock stands at a time or later.
    pub async fn until(&self, target: Timestamp) {
        let seat = self.bell.seat();
        poll_fn(|context| {
            seat.listen(context.waker());
            if self.now() >= target { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The bell that rings when time moves; stores ring it too when something arrives.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    fn lock(&self) -> MutexGuard<'_, Timestamp> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for VirtualClock {
    /// Stands at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(Timestamp::from_second(1_767_225_600).expect("2026 is within range"))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn waiting_ends_when_the_time_has_come() {
        let clock = VirtualClock::default();
        let due = clock.now() + SignedDuration::from_secs(10);
        let mut waiting = Box::pin(clock.until(due));

        assert_eq!(waiting.as_mut().now_or_never(), None);
        clock.advance(SignedDuration::from_secs(9));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(waiting.as_mut().now_or_never(), Some(()));
    }

    #[test]
    fn time_never_goes_back() {
        let clock = VirtualClock::default();
        let start = clock.now();
        clock.advance_to(start - SignedDuration::from_secs(1));
        clock.advance(SignedDuration::from_secs(-1));
        assert_eq!(clock.now(), start);
    }
}
