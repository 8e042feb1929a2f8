//! What queues carry.

use jiff::SignedDuration;
use pawl_engine::{Event, Execution};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::items::date::Dated;
use crate::items::{self, misshapen};
use crate::ports::{Key, Message, QueueName, RecordChange};

/// A job: an execution should go on. For another `seq` than the execution's it is stale. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Execution.
    pub execution_id: String,
    /// Transition that it follows.
    pub seq: u64,
    /// A job for this transition was handled before, and nobody knows if the process that did so lives.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// In place of work that is due: something happened to a relative of the execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<News>,
}

/// What happened to a relative of an execution. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A child that it waits for has ended.
    ChildEnded,
    /// Its parent was canceled, or goes on after a pause or a kill.
    ParentChanged,
}

impl Job {
    /// The job that an execution needs now.
    pub fn of(execution: &Execution) -> Self {
        Self { execution_id: execution.id.clone(), seq: execution.seq, again: false, news: None }
    }

    /// News for an execution, whatever its transition.
    pub(crate) fn with_news(execution: &str, news: News) -> Self {
        Self { execution_id: execution.to_owned(), seq: 0, again: false, news: Some(news) }
    }

    /// The message that carries it.
    pub fn message(&self, workflow: &str, delay: SignedDuration) -> Message {
        let body = serde_json::to_string(self).expect("a job is JSON");
        Message { body, delay, group: workflow.to_owned() }
    }
}

impl Job {
    /// Reads a message of a job queue.
    pub fn parse(body: &str) -> Result<Self, Error> {
        serde_json::from_str(body).map_err(|error| Error::Poison(misshapen(&error)))
    }
}

/// Deliveries of a message whose handler fails before it is given up; the queues' `maxReceiveCount`.
pub const DELIVERIES: u32 = 10;

/// Longest wait, in seconds, before a message that could not be handled is delivered again.
const BACKOFF_MOST_S: i64 = 60;

/// Longest wait, in seconds, before a message that was put off is delivered again: the longest delay of a queue.
const PUT_OFF_MOST_S: i64 = 900;

/// How long a message waits that could not be handled, after so many attempts.
pub fn backoff(attempt: u32) -> SignedDuration {
    growing(attempt, BACKOFF_MOST_S)
}

/// How long a message waits that is put off and was put off so often before: 2 s, then twice as long each time, up to
/// 15 minutes. It ends as soon as what failed works again, however long that takes.
pub fn patience(put_off: u32) -> SignedDuration {
    growing(put_off.saturating_add(1), PUT_OFF_MOST_S)
}

fn growing(times: u32, most_s: i64) -> SignedDuration {
    SignedDuration::from_secs((1_i64 << times.min(10)).min(most_s))
}

/// The queue of an execution's jobs.
pub fn queue_of(execution: &Execution) -> QueueName {
    if execution.high_priority { QueueName::JobsHigh } else { QueueName::Jobs }
}

/// A message on the event queue. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventMessage {
    /// An event.
    Event(Box<Event>),
    /// A change of a record.
    Stream(Box<RecordChange>),
    /// The head of an execution has expired, and the storage has removed it: an [`ExpiredMessage`](crate::ports::ExpiredMessage).
    Expired(Key),
    /// Executions that wait for an event: too many for the message that brought it.
    Waiters(Box<Waiters>),
    /// An operation goes on where it stopped; its id.
    Operation(String),
    /// The window of this partition may be due: events that are collected for one start.
    Window(String),
    /// Firings of a schedule may be due: its workflow and its trigger.
    Schedule {
        /// Workflow.
        workflow: String,
        /// Trigger.
        trigger: String,
    },
    /// The time of a trigger may have come for a record that has a date, or for an overdue activity.
    Date {
        /// What has the date.
        of: Dated,
        /// Workflow.
        workflow: String,
        /// Trigger.
        trigger: String,
    },
    /// An activity may be overdue; its id.
    Overdue(String),
    /// Signals of this topic may be kept for those who wait.
    Signals(String),
}

/// Executions that an event is still to be told to. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiters {
    /// The event.
    pub event: Event,
    /// Which of those that wait for it.
    pub part: Part,
}

/// Some of the executions that wait for an event. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// All from a place on: they are told in messages of their own.
    From {
        /// The number of the list of waiters, in the order that follows from the event.
        list: usize,
        /// The cursor of its next page; none is the first one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// These, by id.
    These(Vec<String>),
}

impl EventMessage {
    /// Reads a message of the event queue.
    pub fn parse(body: &str) -> Result<Self, Error> {
        serde_json::from_str(body).map_err(|error| Error::Poison(misshapen(&error)))
    }
}

/// What a message is about, for the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Of a job.
    pub execution_id: Option<String>,
    /// Of an event.
    pub event_id: Option<String>,
    /// An operation.
    pub operation: Option<String>,
}

impl About {
    /// Reads it from the text of a message; of one that nobody can read it is empty.
    pub fn read(body: &str) -> Self {
        if let Ok(job) = Job::parse(body) {
            return Self { execution_id: Some(job.execution_id), ..Self::default() };
        }
        match EventMessage::parse(body) {
            Ok(EventMessage::Event(event)) => Self { event_id: Some(event.id), ..Self::default() },
            Ok(EventMessage::Expired(head)) => {
                Self { execution_id: items::execution::id(&head).map(str::to_owned), ..Self::default() }
            }
            Ok(EventMessage::Waiters(waiters)) => Self { event_id: Some(waiters.event.id), ..Self::default() },
            Ok(EventMessage::Operation(id)) => Self { operation: Some(id), ..Self::default() },
            _ => Self::default(),
        }
    }

    /// In one word.
    pub fn what(&self) -> &str {
        let named = [&self.execution_id, &self.event_id, &self.operation];
        named.into_iter().find_map(Option::as_deref).unwrap_or("unreadable")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_minute_and_what_is_put_off_up_to_fifteen() {
        let waits = |wait: fn(u32) -> SignedDuration, times: [u32; 4]| times.map(|times| wait(times).as_secs());
        assert_eq!(waits(backoff, [1, 4, 10, u32::MAX]), [2, 16, 60, 60]);
        assert_eq!(waits(patience, [0, 3, 9, u32::MAX]), [2, 16, 900, 900]);
    }

    #[test]
    fn a_message_that_cannot_be_read_is_not_quoted() {
        let job = Job::parse(r#"{"execution_id": "exe_1", "seq": "hunter2"}"#).expect_err("it has no number");
        let place = "the message is not readable: not of the expected shape at line 1, column 42";
        assert_eq!(job.to_string(), place);
        let event = EventMessage::parse(r#"{"event": "hunter2"}"#).expect_err("it has no event");
        assert!(matches!(event, Error::Poison(_)) && !event.to_string().contains("hunter2"), "{event}");
        let neither = EventMessage::parse(r#"{"hunter2": {}}"#).expect_err("there is no such kind");
        assert!(matches!(neither, Error::Poison(_)) && !neither.to_string().contains("hunter2"), "{neither}");
    }
}
