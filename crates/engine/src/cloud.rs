//! Calls of services of the cloud: an event bus, queues and topics, functions.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::step;
use serde_json::{Map, Value, json};

/// Longest time of one call, in seconds, if the step does not say.
pub const CLOUD_CALL_S: i64 = 30;

/// Most bytes of an event or a message, and of the input of a function whose answer nobody waits for.
pub const CLOUD_VALUE_MOST: usize = 256 * 1024;

/// A call of a service of the cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudCall {
    /// Its id, the same for every attempt of a visit.
    pub id: String,
    /// When the visit began: the time of an event, the same for every attempt.
    pub began_at: Timestamp,
    /// What is asked.
    pub request: CloudRequest,
    /// Longest time of one attempt.
    pub timeout: SignedDuration,
}

/// What is asked of a service of the cloud.
#[derive(Debug, Clone, PartialEq)]
pub enum CloudRequest {
    /// Puts an event on the bus.
    PublishEvent {
        /// Who tells of it.
        source: String,
        /// What happened.
        detail_type: String,
        /// What is said of it.
        detail: Map<String, Value>,
    },
    /// Sends a message.
    SendMessage {
        /// The queue or topic.
        to: MessageTarget,
        /// Its text.
        body: String,
        /// The group in which the order is kept.
        group: Option<String>,
        /// How long the queue keeps it back, in seconds.
        delay_s: Option<i64>,
    },
    /// Invokes a function.
    InvokeFunction {
        /// Its name or ARN.
        function: String,
        /// What it gets.
        input: Value,
        /// Whether the call waits for what it gives.
        wait: bool,
    },
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageTarget {
    /// A queue, by its ARN or URL.
    Queue(String),
    /// A topic, by its ARN.
    Topic(String),
}

impl MessageTarget {
    /// Its ARN or URL.
    pub fn name(&self) -> &str {
        match self {
            Self::Queue(name) | Self::Topic(name) => name,
        }
    }

    /// Whether it keeps the order of its messages, and takes one that is sent again once.
    pub fn is_fifo(&self) -> bool {
        step::is_fifo(self.name())
    }
}

impl CloudCall {
    /// Its input for history.
    pub fn input(&self) -> Value {
        match &self.request {
            CloudRequest::PublishEvent { source, detail_type, detail } => {
                json!({"source": source, "detail_type": detail_type, "detail": detail})
            }
            CloudRequest::SendMessage { to, body, group, delay_s } => {
                let key = match to {
                    MessageTarget::Queue(_) => "queue",
                    MessageTarget::Topic(_) => "topic",
                };
                // A message in JSON is shown as the value that it is.
                let body = serde_json::from_str::<Value>(body).unwrap_or_else(|_| json!(body));
                json!({key: to.name(), "body": body, "group": group, "delay_s": delay_s})
            }
            CloudRequest::InvokeFunction { function, input, wait } => {
                json!({"function": function, "input": input, "wait": wait})
            }
        }
    }
}
