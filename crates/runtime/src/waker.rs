//! Puts executions back on the queue whose reason to wake is overdue.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pawl_engine::Execution;

use crate::dispatch::Dispatcher;
use crate::ports::{Clock, Index, Item, Query, SortRange};
use crate::{Catalog, Error, items};

/// Wakes the executions of a page of an index.
pub(crate) struct Waker {
    catalog: Arc<Catalog>,
    clock: Arc<dyn Clock>,
    dispatcher: Arc<Dispatcher>,
}

impl Waker {
    /// Over these.
    pub(crate) fn new(catalog: Arc<Catalog>, clock: Arc<dyn Clock>, dispatcher: Arc<Dispatcher>) -> Self {
        Self { catalog, clock, dispatcher }
    }

    /// Wakes those of a page that were due by a time, are chosen, and that no kill holds; returns how many. The head of
    /// each workflow is read once, and messages go together. Those of a workflow that cannot be read now are passed over,
    /// and the first failure is returned after the others had their turn.
    pub(crate) async fn wake(
        &self,
        page: &[Item],
        by: Timestamp,
        chosen: impl Fn(&Execution) -> bool,
    ) -> Result<usize, Error> {
        let (read, _) = self.catalog.unreadable().read(page, items::execution::parse);
        let is_held = |execution: &Execution| execution.killed.is_some() && !execution.status.is_ended();
        let is_due = |execution: &Execution| execution.is_due(by) && !is_held(execution);
        let due: Vec<_> = read.into_iter().flatten().filter(|execution| is_due(execution)).collect();
        if due.is_empty() || self.catalog.read_installation().await?.killed.is_some() {
            return Ok(0);
        }
        let mut killed = BTreeMap::new();
        let mut result = Ok(());
        let mut woken = Vec::new();
        for execution in due {
            if !killed.contains_key(&execution.workflow) {
                let is_killed = self.is_killed(&execution.workflow).await;
                let is_held = *is_killed.as_ref().unwrap_or(&true);
                killed.insert(execution.workflow.clone(), is_held);
                result = result.and(is_killed.map(drop));
            }
            if !killed[&execution.workflow] && chosen(&execution) {
                woken.push(execution);
            }
        }
        self.dispatcher.again(&woken, self.clock.now()).await?;
        result.map(|()| woken.len())
    }

    async fn is_killed(&self, workflow: &str) -> Result<bool, Error> {
        match self.catalog.head(workflow).await {
            // Its job tells that its workflow cannot be read.
            Err(Error::Unreadable(unreadable)) => {
                self.catalog.unreadable().pass_over(&unreadable);
                Ok(false)
            }
            head => Ok(head?.is_some_and(|head| head.killed.is_some())),
        }
    }
}

/// What stands in an index of executions up to a time: when it is due, or when it was made, which is never later.
pub(crate) fn overdue(index: Index, partition: &str, by: Timestamp) -> Query {
    let range = SortRange::Between("0".to_owned(), items::sortable(by));
    Query::of_index(items::execution::TABLE, index, partition).range(range)
}
