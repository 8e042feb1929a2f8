//! How long, and until when, a claimed effect may be performed.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, StepCode, StepError};

use crate::ports::{Clock, Tables};
use crate::{Catalog, Error, items};

/// The lease under which an effect is performed. Looked at right before each call: a process that stood still since
/// its claim may have been replaced, and must not perform what another one has done.
#[derive(Clone, Copy)]
pub(super) struct LeaseGuard<'a> {
    pub(super) clock: &'a dyn Clock,
    pub(super) tables: &'a dyn Tables,
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

    /// Requires that nobody has killed, paused or canceled what it is for, before one call more of the same effect: it
    /// takes time, and costs. Before the first one the decision looked.
    pub(super) async fn allows_one_more(&self, timeout: SignedDuration) -> Result<(), StepError> {
        let held = |why: &str| Err(StepError::new(StepCode::HeldBack, why));
        match self.is_stopped().await {
            // The lease comes last: looking takes time too.
            Ok(false) => self.allows(timeout),
            Ok(true) => held("it was killed, paused or canceled between two calls; the second one was not made"),
            Err(error) => held(&format!("whether it may go on could not be read between two calls: {error}")),
        }
    }

    async fn is_stopped(&self) -> Result<bool, Error> {
        let keys = [
            (items::execution::TABLE, items::execution::key(&self.execution.id)),
            (items::workflow::TABLE, items::workflow::head_key(&self.execution.workflow)),
            (items::installation::TABLE, items::installation::key()),
        ];
        let found = self.tables.get_many(&keys).await?;
        let execution = found[0].as_ref().map(items::execution::parse).transpose()?.flatten();
        let head = found[1].as_ref().map(items::workflow::parse_head).transpose()?;
        let stopped = execution.is_some_and(|now| now.killed.is_some() || now.requested.is_some());
        let killed = head.is_some_and(|head| head.killed.is_some());
        Ok(stopped || killed || Catalog::installation(found[2].as_ref())?.killed.is_some())
    }
}
