//! The executions that wait for a slot of `limits.concurrency`.

use std::sync::Arc;

use pawl_engine::{Execution, TimerPurpose, Wake};

use crate::dispatch::Dispatcher;
use crate::items::line;
use crate::ports::{Consistency, Query, TableError, Tables};
use crate::{Catalog, Error, items};

/// Entries of the line that are looked at for the first that can be woken: one that cannot be read holds up nobody.
const LOOKS_AT: usize = 3;

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
        let tables = self.catalog.tables();
        let first = tables.query(&first_of(workflow, LOOKS_AT)).await?;
        for entry in &first.items {
            let key = items::execution::key(line::parse(entry));
            let head = tables.get(items::execution::TABLE, &key, Consistency::Strong).await?;
            let read = head.as_ref().map(items::execution::parse).transpose();
            let execution = self.catalog.unreadable().readable(read).flatten().flatten();
            if let Some(execution) = execution.filter(line::is_in) {
                return self.dispatcher.send_early(&execution).await;
            }
        }
        Ok(())
    }
}

/// Whether others wait for a slot of a workflow.
pub(crate) async fn has_line(tables: &dyn Tables, workflow: &str) -> Result<bool, TableError> {
    Ok(!tables.query(&first_of(workflow, 1)).await?.items.is_empty())
}

fn first_of(workflow: &str, limit: usize) -> Query {
    Query::of(line::TABLE, line::partition(workflow)).limit(limit)
}

/// Whether an execution waits for a slot.
pub(crate) fn is_waiting(execution: &Execution) -> bool {
    matches!(execution.wake, Wake::Timer { purpose: TimerPurpose::Concurrency, .. })
}
