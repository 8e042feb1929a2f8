//! What woke the function.

use aws_lambda_events::dynamodb;
use aws_lambda_events::sqs::SqsEvent;
use pawl_lambda::{Failure, read};
use serde_json::Value;

/// What woke it, told apart by the payload's shape.
#[derive(Debug, PartialEq)]
pub enum Woken {
    /// Messages of the event queue.
    Messages(SqsEvent),
    /// Changes of the records table, from its stream.
    Changes(dynamodb::Event),
    /// An event of the bus.
    Bus(Value),
}

/// What it expects to be woken by.
const EXPECTED: &str = "messages of a queue (`Records` from aws:sqs), changes of a table (`Records` from aws:dynamodb), \
    or an event of the bus (`source` and `detail-type`)";

impl Woken {
    /// Reads a payload. One of another shape is a mistake in the wiring and fails: whoever sent it tries again, and its
    /// dead-letter queue shows it.
    pub fn by(payload: Value) -> Result<Self, Failure> {
        let source = payload.pointer("/Records/0/eventSource").and_then(Value::as_str).map(str::to_owned);
        match source.as_deref() {
            Some("aws:sqs") => read(payload, EXPECTED).map(Self::Messages),
            Some("aws:dynamodb") => read(payload, EXPECTED).map(Self::Changes),
            Some(other) => Err(Failure::unexpected_payload(EXPECTED, &format!("`Records` from {other}"))),
            None if payload.get("source").is_some() && payload.get("detail-type").is_some() => Ok(Self::Bus(payload)),
            None => Err(Failure::unexpected_payload(EXPECTED, &shape(&payload))),
        }
    }
}

/// What a payload looks like, without what it says.
fn shape(payload: &Value) -> String {
    match payload {
        Value::Object(fields) if fields.is_empty() => "an empty object".to_owned(),
        Value::Object(fields) => {
            let keys: Vec<&str> = fields.keys().map(String::as_str).take(8).collect();
            format!("an object of {}", keys.join(", "))
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Null => "nothing".to_owned(),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => "a single value".to_owned(),
    }
}
