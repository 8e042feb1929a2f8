//! Makes sure that what an execution's state needs is under way.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, Need};

use crate::executor::Executor;
use crate::message::{Job, queue_of};
use crate::ports::Timer;
use crate::{Error, ExecutorOptions};

/// Sends the job or sets the timer that an execution needs; `least` delays a job that is due now.
pub(crate) async fn ensure_scheduled(
    executor: &Executor,
    execution: &Execution,
    now: Timestamp,
    least: SignedDuration,
) -> Result<(), Error> {
    send(executor, execution, Job::of(execution), now, least).await
}

/// Sends the job of an execution whose reason to wake is overdue: its job may have been handled already, and the process
/// that did so may be dead.
pub(crate) async fn again(executor: &Executor, execution: &Execution, now: Timestamp) -> Result<(), Error> {
    let job = Job { again: true, ..Job::of(execution) };
    send(executor, execution, job, now, SignedDuration::ZERO).await
}

async fn send(
    executor: &Executor,
    execution: &Execution,
    job: Job,
    now: Timestamp,
    least: SignedDuration,
) -> Result<(), Error> {
    let Need::At(at) = execution.need() else { return Ok(()) };
    let wait = at.duration_since(now).max(least);
    let queue = queue_of(execution);
    if wait <= executor.options.longest_delay || wait <= SignedDuration::ZERO {
        let delay = if wait.is_negative() { SignedDuration::ZERO } else { round_up(wait) };
        executor.jobs.send(queue, vec![job.message(&execution.workflow, delay)]).await?;
    } else {
        let message = job.message(&execution.workflow, SignedDuration::ZERO);
        executor.timers.set(Timer { name: execution.id.clone(), due: at, queue, message }).await?;
    }
    Ok(())
}

/// Cancels the timer that the state before needed, if the state after does not need the same.
pub(crate) async fn cancel_timer(executor: &Executor, before: &Execution, after: &Execution) -> Result<(), Error> {
    let Need::At(at) = before.need() else { return Ok(()) };
    let had_timer = at.duration_since(before.updated_at) > executor.options.longest_delay;
    if had_timer && before.need() != after.need() {
        executor.timers.cancel(&after.id).await?;
    }
    Ok(())
}

/// To a millisecond, so that a message is never early.
fn round_up(wait: SignedDuration) -> SignedDuration {
    let millis = wait.as_millis() + i128::from(wait.subsec_nanos() % 1_000_000 != 0);
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)).min(ExecutorOptions::LONGEST_DELAY)
}
