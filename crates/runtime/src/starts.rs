//! What follows starts and ends of executions: the line, the breaker, and the rows of refused starts.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Act, Event, Execution, PauseReason, Plan, Status, TimerPurpose, Wake};

use crate::admission::Reason;
use crate::executor::Executor;
use crate::items::refusal::Refusal;
use crate::message::{Job, queue_of};
use crate::ports::{Expect, Index, Notice, Query, Write};
use crate::{Error, items};

/// The breaker also opens at this share of failures…
const BREAKER_FAILURES_PERCENT: usize = 95;
/// …over this many executions that ended.
const BREAKER_EXECUTIONS: usize = 20;
/// So many of the newest executions are looked at, for some go on.
const BREAKER_LOOKS_AT: usize = 100;

/// The row of a refused start.
pub(crate) fn refusal(plan: &Plan, trigger: Option<&str>, event: &Event, reason: &Reason) -> Refusal {
    Refusal {
        workflow: plan.workflow.id.clone(),
        trigger: trigger.map(str::to_owned),
        event_id: event.id.clone(),
        record: event.subject.clone(),
        code: reason.code.to_owned(),
        message: reason.message.clone(),
        at: event.occurred_at,
        first_at: None,
        count: 1,
        at_least: false,
    }
}

/// After an execution ended: the place that became free wakes the oldest in line. Not needed for correctness: the line
/// looks again by itself.
pub(crate) async fn after_end(executor: &Executor, before: &Execution, after: &Execution) -> Result<(), Error> {
    if before.holds_slot { wake_oldest_waiting_for_slot(executor, &after.workflow).await } else { Ok(()) }
}

/// After a failure: many of them open the breaker. Not needed for correctness: it looks at the next failure again.
pub(crate) async fn after_failure(executor: &Executor, before: &Execution, after: &Execution) -> Result<(), Error> {
    let failed = |execution: &Execution| execution.status == Status::Failed || is_held_by_failure(execution);
    if !failed(after) || failed(before) || !mostly_failed(executor, &after.workflow).await? {
        return Ok(());
    }
    let message = format!("at least {BREAKER_FAILURES_PERCENT} % of the last {BREAKER_EXECUTIONS} executions failed");
    open_breaker(executor, &after.workflow, &message).await
}

/// After an execution began: one that stood in line wakes the next. Several places may have become free while it was
/// the oldest, and each of them woke it alone.
pub(crate) async fn after_start(executor: &Executor, before: &Execution) -> Result<(), Error> {
    let waits_for_slot = matches!(before.wake, Wake::Timer { purpose: TimerPurpose::Concurrency, .. });
    if waits_for_slot { wake_oldest_waiting_for_slot(executor, &before.workflow).await } else { Ok(()) }
}

async fn wake_oldest_waiting_for_slot(executor: &Executor, workflow: &str) -> Result<(), Error> {
    let query =
        Query::of_index(items::execution::TABLE, Index::Gsi3, items::execution::of_status(Status::Queued)).limit(200);
    for item in executor.tables.query(&query).await?.items {
        let read = executor.catalog.unreadable().readable(items::execution::parse(&item));
        let Some(execution) = read.flatten() else { continue };
        let waits_for_slot = matches!(execution.wake, Wake::Timer { purpose: TimerPurpose::Concurrency, .. });
        if waits_for_slot && execution.workflow == workflow {
            let job = Job::of(&execution).message(workflow, SignedDuration::ZERO);
            return Ok(executor.jobs.send(queue_of(&execution), vec![job]).await?);
        }
    }
    Ok(())
}

/// Whether nearly all executions failed that were made since the workflow became active, or was activated again.
async fn mostly_failed(executor: &Executor, workflow: &str) -> Result<bool, Error> {
    let since = executor.catalog.head(workflow).await?.and_then(|head| head.active_since);
    let query = Query::of_index(items::execution::TABLE, Index::Gsi1, items::execution::of_workflow(workflow));
    let query = query.newest_first().limit(BREAKER_LOOKS_AT);
    let mut results = Vec::new();
    for item in executor.tables.query(&query).await?.items {
        let read = executor.catalog.unreadable().readable(items::execution::parse(&item));
        let Some(execution) = read.flatten() else { continue };
        if since.is_none_or(|since| execution.created_at >= since) {
            results.extend(result(&execution));
        }
    }
    results.truncate(BREAKER_EXECUTIONS);
    let failed = results.iter().filter(|failed| **failed).count();
    Ok(results.len() >= BREAKER_EXECUTIONS && failed * 100 >= results.len() * BREAKER_FAILURES_PERCENT)
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

/// Suspends a workflow's triggers and tells the owner; once, until it is activated again.
pub(crate) async fn open_breaker(executor: &Executor, workflow: &str, why: &str) -> Result<(), Error> {
    let Some(mut head) = executor.catalog.head(workflow).await? else { return Ok(()) };
    if head.suspended.is_some() {
        return Ok(());
    }
    let now = executor.clock.now();
    let before = head.version;
    head.suspended = Some(Act { actor: "breaker".to_owned(), reason: Some(why.to_owned()), at: now });
    head.version += 1;
    let put = Write::Put {
        table: items::workflow::TABLE,
        item: items::workflow::head_item(&head),
        expect: Expect::Version(before),
    };
    let transaction = crate::ports::Transaction { writes: vec![put], durability: crate::ports::Durability::Durable };
    match executor.tables.transact(transaction).await {
        Err(error) if Error::from(error.clone()).is_conflict() => return Ok(()),
        result => result?,
    }
    tracing::error!(workflow, "the breaker suspended the triggers of {workflow}: {why}");
    executor.notices.post(&breaker_notice(&head, why, now)).await
}

fn breaker_notice(head: &items::workflow::Head, why: &str, at: Timestamp) -> Notice {
    Notice {
        id: format!("breaker-{}-{}", head.id, head.version),
        to: head.owner.clone(),
        severity: "error".to_owned(),
        subject: format!("{}: triggers suspended", head.name),
        text: format!(
            "{why}. Its triggers start nothing until somebody activates it again. See docs/errors/breaker.md."
        ),
        at,
    }
}
