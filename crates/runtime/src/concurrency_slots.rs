//! The executions that wait for a slot of `limits.concurrency`.

use std::sync::Arc;

use pawl_engine::{Execution, Status, TimerPurpose, Wake};

use crate::dispatch::Dispatcher;
use crate::ports::{Index, Query};
use crate::{Catalog, Error, items};

/// How many queued executions are looked at for the oldest that waits.
const LOOKS_AT: usize = 200;

/// Wakes the oldest execution that waits for a slot, once one may be free. Not needed for correctness: those that wait
/// look again by themselves.
pub(crate) struct ConcurrencySlots {
    catalog: Arc<Catalog>,
    dispatcher: Arc<Dispatcher>,
}

impl ConcurrencySlots {
    /// Over these.
    pub(crate) fn new(catalog: Arc<Catalog>, dispatcher: Arc<Dispatcher>) -> Self {
        Self { catalog, dispatcher }
    }

    /// After an execution ended: the slot that it gave back wakes the oldest that waits.
    pub(crate) async fn after_end(&self, before: &Execution, after: &Execution) -> Result<(), Error> {
        if before.holds_slot { self.wake_oldest(&after.workflow).await } else { Ok(()) }
    }

    /// After an execution began: one that waited wakes the next. Several slots may have become free while it was the
    /// oldest, and each of them woke it alone.
    pub(crate) async fn after_start(&self, before: &Execution) -> Result<(), Error> {
        if is_waiting(before) { self.wake_oldest(&before.workflow).await } else { Ok(()) }
    }

    async fn wake_oldest(&self, workflow: &str) -> Result<(), Error> {
        let queued = items::execution::of_status(Status::Queued);
        let query = Query::of_index(items::execution::TABLE, Index::Gsi3, queued).limit(LOOKS_AT);
        for item in self.catalog.tables().query(&query).await?.items {
            let read = self.catalog.unreadable().readable(items::execution::parse(&item));
            let Some(execution) = read.flatten() else { continue };
            if is_waiting(&execution) && execution.workflow == workflow {
                return self.dispatcher.send_early(&execution).await;
            }
        }
        Ok(())
    }
}

/// Whether an execution waits for a slot.
pub(crate) fn is_waiting(execution: &Execution) -> bool {
    matches!(execution.wake, Wake::Timer { purpose: TimerPurpose::Concurrency, .. })
}
