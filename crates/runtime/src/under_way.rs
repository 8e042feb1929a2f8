//! Makes sure that what an execution's state needs is under way.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, Need};

use crate::Error;
use crate::message::{Job, queue_of};
use crate::ports::{Queue, Timer, Timers};

/// Waits up to this long are a delayed message, longer ones a timer; the bound of SQS.
const QUEUE_MOST: SignedDuration = SignedDuration::from_secs(900);

/// Sends the job or sets the timer that an execution needs; `least` delays a job that is due now.
pub(crate) async fn ensure(
    jobs: &dyn Queue,
    timers: &dyn Timers,
    execution: &Execution,
    now: Timestamp,
    least: SignedDuration,
) -> Result<(), Error> {
    let Need::At(at) = execution.need() else { return Ok(()) };
    let wait = at.duration_since(now).max(least);
    let queue = queue_of(execution);
    let job = Job::of(execution);
    if wait <= QUEUE_MOST {
        let delay = if wait.is_negative() { SignedDuration::ZERO } else { round_up(wait) };
        jobs.send(queue, vec![job.message(&execution.workflow, delay)]).await?;
    } else {
        let message = job.message(&execution.workflow, SignedDuration::ZERO);
        timers.set(Timer { name: execution.id.clone(), due: at, queue, message }).await?;
    }
    Ok(())
}

/// Cancels the timer that the state before needed, if the state after does not need the same.
pub(crate) async fn cancel_timer(timers: &dyn Timers, before: &Execution, after: &Execution) -> Result<(), Error> {
    let Need::At(at) = before.need() else { return Ok(()) };
    let had_timer = at.duration_since(before.updated_at) > QUEUE_MOST;
    if had_timer && before.need() != after.need() {
        timers.cancel(&after.id).await?;
    }
    Ok(())
}

/// To a millisecond, so that a message is never early.
fn round_up(wait: SignedDuration) -> SignedDuration {
    let millis = wait.as_millis() + i128::from(wait.subsec_nanos() % 1_000_000 != 0);
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)).min(QUEUE_MOST)
}
