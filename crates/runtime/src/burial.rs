//! What becomes of messages that were given up: they are made visible, for a person to see and to send on their way.
//!
//! A job marks its execution as stalled. What is stalled is woken neither by the sweeper nor by its own mark: its job
//! died again and again, and would die again every minute, each time with a claim, a call and a dead letter more. It
//! waits for a person: a redrive, a control of that execution, or an event that it waits for. Its next transition
//! takes the mark away. An event is refused with the code `dead_letter`; that refusal, other than all others, does not
//! stand: when the message is sent back it is decided anew.

use pawl_engine::{Act, Control, Event, Execution};

use crate::evaluator::write_refusal;
use crate::executor::Executor;
use crate::items::refusal::Refusal;
use crate::message::{EventMessage, Job};
use crate::ports::{Consistency, DeadLetter, QueueName, TableError};
use crate::{ControlError, Error, changes, items};

/// Who marks.
const ACTOR: &str = "dead-letter-queue";

/// In the place of the workflow, where an event is addressed to none.
const NOBODY: &str = "unknown";

/// Makes a dead letter visible; doing it again changes nothing. What nobody can read is visible in its queue only.
pub(crate) async fn bury(executor: &Executor, letter: &DeadLetter, why: &str) -> Result<(), Error> {
    if letter.queue != QueueName::Events {
        return match Job::parse(&letter.body) {
            Ok(job) => mark_stalled(executor, &job).await,
            Err(_) => Ok(()),
        };
    }
    match EventMessage::parse(&letter.body) {
        Ok(EventMessage::Event(event)) => refuse(executor, *event, why).await,
        Ok(EventMessage::Stream(change)) => match changes::event(&change) {
            Ok(Some(event)) => refuse(executor, event, why).await,
            Ok(None) | Err(_) => Ok(()),
        },
        Err(_) => Ok(()),
    }
}

/// Marks the execution of a job that was given up, if that job is the one that it needs now: it may have gone on since,
/// and what is not due yet is woken when it is.
async fn mark_stalled(executor: &Executor, job: &Job) -> Result<(), Error> {
    let now = executor.clock.now();
    let act = Act { actor: ACTOR.to_owned(), reason: None, at: now };
    let needs_it = |execution: &Execution| execution.seq == job.seq && execution.is_due(now);
    match executor.control_if(&job.execution_id, &Control::Stall, &act, needs_it).await {
        Err(ControlError::Failed(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Stores that an event came to nothing, unless it came to something, or that is stored.
async fn refuse(executor: &Executor, event: Event, why: &str) -> Result<(), Error> {
    let refusal = Refusal {
        workflow: event.workflow.unwrap_or_else(|| NOBODY.to_owned()),
        trigger: event.trigger,
        event_id: event.id,
        record: event.subject,
        code: "dead_letter".to_owned(),
        message: why.to_owned(),
        at: event.occurred_at,
    };
    let key = items::refusal::key(&refusal.workflow, &refusal.event_id);
    if executor.tables.get(items::refusal::TABLE, &key, Consistency::Strong).await?.is_some() {
        return Ok(());
    }
    match write_refusal(executor, &refusal, None).await {
        Err(TableError::Conflict(_)) => Ok(()),
        result => Ok(result?),
    }
}
