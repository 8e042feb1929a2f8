//! The breaker: workflows whose executions mostly fail, or start too often, are suspended.

use std::sync::Arc;

use jiff::Timestamp;
use pawl_engine::{Act, Execution, PauseReason, Status};

use crate::items::workflow::Head;
use crate::ports::{Clock, Durability, Expect, Index, Notice, Query, Tables, Transaction, Write};
use crate::{Catalog, Error, Notices, items};

/// The breaker opens at this share of failures…
const FAILURES_PERCENT: usize = 95;
/// …over this many executions that ended.
const EXECUTIONS: usize = 20;
/// So many of the newest executions are looked at, for some go on.
const LOOKS_AT: usize = 100;

/// Suspends the triggers of workflows, and tells their owners.
pub(crate) struct Breaker {
    catalog: Arc<Catalog>,
    tables: Arc<dyn Tables>,
    clock: Arc<dyn Clock>,
    notices: Arc<Notices>,
}

impl Breaker {
    /// Over these ports.
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        tables: Arc<dyn Tables>,
        clock: Arc<dyn Clock>,
        notices: Arc<Notices>,
    ) -> Self {
        Self { catalog, tables, clock, notices }
    }

    /// After a failure: many of them open the breaker. Not needed for correctness: it looks at the next failure again.
    pub(crate) async fn after_failure(&self, before: &Execution, after: &Execution) -> Result<(), Error> {
        let failed = |execution: &Execution| execution.status == Status::Failed || is_held_by_failure(execution);
        if !failed(after) || failed(before) || !self.mostly_failed(&after.workflow).await? {
            return Ok(());
        }
        let message = format!("at least {FAILURES_PERCENT} % of the last {EXECUTIONS} executions failed");
        self.open(&after.workflow, &message).await
    }

    /// Whether nearly all executions failed that were made since the workflow became active, or was activated again.
    async fn mostly_failed(&self, workflow: &str) -> Result<bool, Error> {
        let since = self.catalog.head(workflow).await?.and_then(|head| head.active_since);
        let query = Query::of_index(items::execution::TABLE, Index::Gsi1, items::execution::of_workflow(workflow));
        let query = query.newest_first().limit(LOOKS_AT);
        let mut results = Vec::new();
        for item in self.tables.query(&query).await?.items {
            let read = self.catalog.unreadable().readable(items::execution::parse(&item));
            let Some(execution) = read.flatten() else { continue };
            if since.is_none_or(|since| execution.created_at >= since) {
                results.extend(result(&execution));
            }
        }
        results.truncate(EXECUTIONS);
        let failed = results.iter().filter(|failed| **failed).count();
        Ok(results.len() >= EXECUTIONS && failed * 100 >= results.len() * FAILURES_PERCENT)
    }

    /// Suspends a workflow's triggers and tells the owner; once, until it is activated again.
    pub(crate) async fn open(&self, workflow: &str, why: &str) -> Result<(), Error> {
        let Some(mut head) = self.catalog.head(workflow).await? else { return Ok(()) };
        if head.suspended.is_some() {
            return Ok(());
        }
        let now = self.clock.now();
        let before = head.version;
        head.suspended = Some(Act { actor: "breaker".to_owned(), reason: Some(why.to_owned()), at: now, id: None });
        head.version += 1;
        let put = Write::Put {
            table: items::workflow::TABLE,
            item: items::workflow::head_item(&head),
            expect: Expect::Version(before),
        };
        match self.tables.transact(Transaction { writes: vec![put], durability: Durability::Durable }).await {
            Err(error) if Error::from(error.clone()).is_conflict() => return Ok(()),
            result => result?,
        }
        tracing::error!(workflow, "the breaker suspended the triggers of {workflow}: {why}");
        self.notices.post(&notice(&head, why, now)).await
    }
}

/// Whether an execution failed: it ended so, or waits for a person since a step failed. `None` if it goes on, or if
/// somebody canceled it.
fn result(execution: &Execution) -> Option<bool> {
    match execution.status {
        Status::Completed => Some(false),
        Status::Failed => Some(true),
        Status::Paused => is_held_by_failure(execution).then_some(true),
        Status::Queued | Status::Running | Status::Waiting | Status::Canceled => None,
    }
}

fn is_held_by_failure(execution: &Execution) -> bool {
    execution.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Failure)
}

fn notice(head: &Head, why: &str, at: Timestamp) -> Notice {
    Notice {
        id: format!("breaker-{}-{}", head.id, head.version),
        to: head.owner.clone(),
        severity: "error".to_owned(),
        subject: format!("{}: triggers suspended", head.name),
        text: format!(
            "{why}. Its triggers start nothing until somebody closes the breaker or activates the workflow. See docs/errors/breaker.md."
        ),
        at,
    }
}
