//! How much work waits: messages that are due and not yet handled, in all queues.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How much work may wait before no more is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacklogLimits {
    /// Messages.
    pub messages: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
}

impl Default for BacklogLimits {
    fn default() -> Self {
        // Some minutes of work, and little beside what else a disk holds.
        Self { messages: 50_000, bytes: 512 * 1024 * 1024 }
    }
}

/// Once full, so much of each limit must have become free before more is taken in: one part of this many.
const FREED: usize = 10;

/// Counts what waits. Messages that are due later, which is what waiting executions have, are not work yet.
pub(super) struct Backlog {
    limits: BacklogLimits,
    messages: AtomicUsize,
    bytes: AtomicUsize,
    is_full: AtomicBool,
}

impl Backlog {
    pub(super) fn new(limits: BacklogLimits) -> Self {
        Self { limits, messages: AtomicUsize::new(0), bytes: AtomicUsize::new(0), is_full: AtomicBool::new(false) }
    }

    pub(super) fn add(&self, messages: usize, bytes: usize) {
        self.messages.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove(&self, messages: usize, bytes: usize) {
        self.messages.fetch_sub(messages, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Begins anew, before all that waits on disk is counted again.
    pub(super) fn reset(&self) {
        self.messages.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Whether more work may come in; if not, what waits. It is logged when a burst begins and when it is over.
    pub(super) fn admit(&self) -> Result<(), String> {
        let (messages, bytes) = (self.messages.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        let BacklogLimits { messages: most_messages, bytes: most_bytes } = self.limits;
        let was_full = self.is_full.load(Ordering::Relaxed);
        let keep_free = |most: usize| if was_full { most / FREED } else { 0 };
        let fits = messages < most_messages.saturating_sub(keep_free(most_messages))
            && bytes < most_bytes.saturating_sub(keep_free(most_bytes));
        if fits {
            if self.is_full.swap(false, Ordering::Relaxed) {
                tracing::info!(messages, bytes, "the backlog is worked off: deliveries and starts are accepted again");
            }
            return Ok(());
        }
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                messages,
                bytes,
                "the backlog is full: deliveries and starts are answered 429 until it shrinks"
            );
        }
        Err(format!(
            "{messages} messages with {bytes} bytes wait to be handled; expected less than {most_messages} and {most_bytes}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_backlog_takes_in_again_once_a_tenth_is_free() {
        let backlog = Backlog::new(BacklogLimits { messages: 100, bytes: 1_000 });
        backlog.add(99, 500);
        assert!(backlog.admit().is_ok());
        backlog.add(1, 5);
        assert!(backlog.admit().is_err());
        backlog.remove(10, 50);
        assert!(backlog.admit().is_err(), "it does not flicker at its limit");
        backlog.remove(1, 5);
        assert!(backlog.admit().is_ok());
        backlog.add(1, 550);
        assert!(backlog.admit().is_err(), "bytes count as messages do");
    }
}
