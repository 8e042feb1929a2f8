//! What queues carry.

use jiff::SignedDuration;
use pawl_engine::{Event, Execution};
use serde::{Deserialize, Serialize};

use crate::ports::{Message, QueueName, RecordChange};

/// A job: an execution should go on. For another `seq` than the execution's it is stale. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Execution.
    pub execution_id: String,
    /// Transition that it follows.
    pub seq: u64,
}

impl Job {
    /// The job that an execution needs now.
    pub fn of(execution: &Execution) -> Self {
        Self { execution_id: execution.id.clone(), seq: execution.seq }
    }

    /// The message that carries it.
    pub fn message(&self, workflow: &str, delay: SignedDuration) -> Message {
        let body = serde_json::to_string(self).expect("a job is JSON");
        Message { body, delay, group: workflow.to_owned() }
    }
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
}
