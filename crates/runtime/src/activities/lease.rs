//! How long, and until when, a claimed effect may be performed.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, StepCode, StepError};

use crate::ports::Clock;

/// The lease under which an effect is performed. Looked at right before each call: a process that stood still since
/// its claim may have been replaced, and must not perform what another one has done.
#[derive(Clone, Copy)]
pub(super) struct LeaseGuard<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) execution: &'a Execution,
    pub(super) until: Timestamp,
}

impl LeaseGuard<'_> {
    /// Requires that a call of this length ends within the lease. A failure says for sure that nothing was sent.
    pub(super) fn allows(&self, timeout: SignedDuration) -> Result<(), StepError> {
        if self.clock.now() + timeout <= self.until {
            return Ok(());
        }
        let message = "the process stood still after it had claimed the call; nothing was sent";
        Err(StepError::new(StepCode::LeaseOver, message))
    }
}
