//! What becomes of messages that were given up: they are made visible, for a person to see and to send on their way.
//!
//! The worker that fails for the last time marks what it gives up and says why; what has no mark was never handled to
//! its end, and the sweeper sends it back by itself some times before it marks it (`Sweeper::sweep`).
//!
//! A job marks its execution as stalled. What is stalled is woken neither by the sweeper nor by its own mark: its job
//! died again and again, and would die again every minute, each time with a claim, a call and a dead letter more. It
//! waits for a person: a redrive, a control of that execution, or an event that it waits for. Its next transition
//! takes the mark away. An event is refused with the code `dead_letter`; that refusal, other than all others, does not
//! stand: when the message is sent back it is decided anew.

use jiff::Timestamp;
use pawl_engine::{Act, Control, Event, Execution};
use serde::Deserialize;

use crate::items::operation::State;
use crate::items::refusal::Refusal;
use crate::message::{EventMessage, Job};
use crate::operations::Operations;
use crate::ports::{Clock, Consistency, DeadLetter, QueueName, TableError, Tables};
use crate::refusals::Refusals;
use crate::{ControlError, Error, Transitions, UnreadableItems, changes, items, offload};

/// Who marks.
const ACTOR: &str = "dead-letter-queue";

/// In the place of the workflow, where an event is addressed to none.
const NOBODY: &str = "unknown";

/// Makes what was given up visible.
pub(crate) struct Marks<'a> {
    pub(crate) tables: &'a dyn Tables,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) unreadable: &'a UnreadableItems,
    pub(crate) transitions: &'a Transitions,
    pub(crate) refusals: &'a Refusals,
    pub(crate) operations: &'a Operations,
}

impl Marks<'_> {
    /// Makes a dead letter visible; doing it again changes nothing.
    pub(crate) async fn dead_letter(&self, letter: &DeadLetter, why: &str) -> Result<(), Error> {
        if letter.queue != QueueName::Events {
            return match Job::parse(&letter.body) {
                Ok(job) => self.stalled(&job, why).await,
                Err(error) => self.refuse(of_unreadable(&letter.body, &error, self.clock.now())).await,
            };
        }
        match EventMessage::parse(&letter.body) {
            Ok(EventMessage::Event(event)) => self.refuse(of_event(*event, why)).await,
            Ok(EventMessage::Stream(change)) => match changes::events(&change) {
                Ok(events) => {
                    for event in events {
                        self.refuse(of_event(event, why)).await?;
                    }
                    Ok(())
                }
                Err(error) => self.refuse(of_unreadable(&letter.body, &error, self.clock.now())).await,
            },
            // It is no start: what is left of the execution stays until the letter is redriven, and signals stay in their
            // line until the next signal or waiter of the key.
            // The sweeper closes a window, and fires a schedule, a date or an overdue activity, whose message was given up.
            Ok(
                EventMessage::Expired(_)
                | EventMessage::Signals(_)
                | EventMessage::Window(_)
                | EventMessage::Schedule { .. }
                | EventMessage::Date { .. }
                | EventMessage::Overdue(_),
            ) => Ok(()),
            Ok(EventMessage::Waiters(waiters)) => self.refuse(of_waiters(waiters.event, why)).await,
            Ok(EventMessage::Operation(id)) => self.operations.fail(&id, why).await,
            Err(error) => self.refuse(of_unreadable(&letter.body, &error, self.clock.now())).await,
        }
    }

    /// Whether a dead letter is still needed, and no worker has marked what it is about. One that nobody can read never
    /// is.
    pub(crate) async fn are_missing(&self, letter: &DeadLetter) -> Result<bool, Error> {
        if letter.queue != QueueName::Events {
            let Ok(job) = Job::parse(&letter.body) else { return Ok(false) };
            let now = self.clock.now();
            let needs_it = |head: Execution| is_needed(&job, &head, now) && !head.stalled;
            return Ok(self.head(&job.execution_id).await?.is_some_and(needs_it));
        }
        let events = match EventMessage::parse(&letter.body) {
            Ok(EventMessage::Event(event)) => vec![*event],
            Ok(EventMessage::Stream(change)) => changes::events(&change).unwrap_or_default(),
            Ok(EventMessage::Expired(_) | EventMessage::Signals(_)) => return Ok(true),
            // The sweeper sends another one.
            Ok(
                EventMessage::Window(_)
                | EventMessage::Schedule { .. }
                | EventMessage::Date { .. }
                | EventMessage::Overdue(_),
            ) => return Ok(false),
            Ok(EventMessage::Waiters(waiters)) => vec![Event { workflow: None, ..waiters.event }],
            Ok(EventMessage::Operation(id)) => {
                let operation = self.operations.read(&id).await?;
                return Ok(operation.is_some_and(|operation| operation.state == State::Running));
            }
            Err(_) => Vec::new(),
        };
        for event in events {
            let key = items::refusal::key(event.workflow.as_deref().unwrap_or(NOBODY), &event.id);
            if self.tables.get(items::refusal::TABLE, &key, Consistency::Strong).await?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Marks the execution of a job that was given up, if that job is the one that it needs now: it may have gone on since,
    /// and what is not due yet is woken when it is. Its history says why, and at which step. A head that cannot be read takes
    /// no mark: listings tell of it.
    async fn stalled(&self, job: &Job, why: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let reason = match self.step(&job.execution_id).await? {
            Some(step) => format!("{why}, at step {step}"),
            None => why.to_owned(),
        };
        let act = Act { actor: ACTOR.to_owned(), reason: Some(reason), at: now, id: None };
        let needs_it = |execution: &Execution| is_needed(job, execution, now);
        match self.transitions.control_if(&job.execution_id, &Control::Stall, &act, needs_it).await {
            Err(ControlError::Failed(Error::Unreadable(unreadable))) => {
                self.unreadable.pass_over(&unreadable);
                Ok(())
            }
            Err(ControlError::Failed(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// The step at which an execution stands, as far as that can be read.
    async fn step(&self, execution: &str) -> Result<Option<String>, Error> {
        Ok(self.head(execution).await?.and_then(|execution| execution.cursor))
    }

    /// An execution's head, if it is there and can be read.
    async fn head(&self, execution: &str) -> Result<Option<Execution>, Error> {
        let key = items::execution::key(execution);
        let head = self.tables.get(items::execution::TABLE, &key, Consistency::Strong).await?;
        Ok(head.and_then(|head| items::execution::parse(&head).ok().flatten()))
    }

    /// Stores that an event came to nothing, unless it came to something, or that is stored.
    async fn refuse(&self, refusal: Refusal) -> Result<(), Error> {
        let key = items::refusal::key(&refusal.workflow, &refusal.event_id);
        if self.tables.get(items::refusal::TABLE, &key, Consistency::Strong).await?.is_some() {
            return Ok(());
        }
        match self.refusals.write((&refusal, None), None, None).await {
            Err(TableError::Conflict(_)) => Ok(()),
            result => Ok(result?),
        }
    }
}

/// Whether an execution needs a job by now: the one of its present transition, if it is due, and each that brings news.
fn is_needed(job: &Job, execution: &Execution, now: Timestamp) -> bool {
    let has_news = job.news.is_some() && !execution.status.is_ended();
    has_news || job.seq == execution.seq && execution.is_due(now)
}

/// The refusal of an event that was given up.
fn of_event(event: Event, why: &str) -> Refusal {
    Refusal {
        workflow: event.workflow.unwrap_or_else(|| NOBODY.to_owned()),
        trigger: event.trigger,
        event_id: event.id,
        record: event.subject,
        code: "dead_letter".to_owned(),
        message: why.to_owned(),
        at: event.occurred_at,
        collected: None,
        first_at: None,
        count: 1,
        at_least: false,
        has_event: false,
    }
}

/// The refusal of an event that was not told to all who wait for it. It may have started an execution, so it stands where
/// that of an event stands that is addressed to no workflow.
fn of_waiters(event: Event, why: &str) -> Refusal {
    let message = format!("not all executions that wait for the event were told of it: {why}");
    Refusal { message, ..of_event(Event { workflow: None, trigger: None, ..event }, why) }
}

/// What of an event stands near the surface: it can be read although the data below is too deep.
#[derive(Default, Deserialize)]
struct Surface {
    #[serde(default)]
    event: Address,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    id: Option<String>,
    workflow: Option<String>,
    trigger: Option<String>,
    occurred_at: Option<Timestamp>,
}

/// The refusal of a message that cannot be read: by the ids of its event if those can, else by its digest.
fn of_unreadable(body: &str, error: &Error, now: Timestamp) -> Refusal {
    let Address { id, workflow, trigger, occurred_at } =
        serde_json::from_str::<Surface>(body).map(|surface| surface.event).unwrap_or_default();
    Refusal {
        workflow: workflow.unwrap_or_else(|| NOBODY.to_owned()),
        trigger,
        event_id: id.unwrap_or_else(|| format!("unreadable_{}", &offload::sha256(body.as_bytes())[..20])),
        record: None,
        code: "dead_letter".to_owned(),
        message: error.to_string(),
        at: occurred_at.unwrap_or(now),
        collected: None,
        first_at: None,
        count: 1,
        at_least: false,
        has_event: false,
    }
}
