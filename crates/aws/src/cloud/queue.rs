//! Queues: `SendMessage` of SQS.

use aws_sdk_sqs::Client;
use jiff::SignedDuration;
use pawl_runtime::ports::CloudError;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::answer::refused;
use super::service::{Service, Services};
use crate::failure::Failure;

/// A message, for a queue or a topic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    /// For a FIFO queue or topic: the id by which it takes a message that is sent again once.
    pub(super) once: Option<&'a str>,
    pub(super) body: &'a str,
    pub(super) group: Option<&'a str>,
    pub(super) delay_s: Option<i64>,
}

/// Account and name of a queue that is named by its URL or ARN.
pub(super) fn name(queue: &str) -> Option<(&str, &str)> {
    let (rest, name) = queue.trim_end_matches('/').rsplit_once([':', '/'])?;
    let (_, account) = rest.rsplit_once([':', '/'])?;
    Some((account, name))
}

/// The URL of a queue that is named by its URL or ARN: an ARN ends in account and name.
pub(super) fn url(services: &Services, queue: &str) -> Result<String, CloudError> {
    if !queue.starts_with("arn:") {
        return Ok(queue.to_owned());
    }
    match name(queue) {
        Some((account, name)) => Ok(format!("{}/{account}/{name}", services.endpoint(Service::Sqs))),
        None => Err(CloudError::Invalid(format!("expected the ARN or URL of a queue, found {queue}"))),
    }
}

/// Sends it. A FIFO queue takes a repeat of it once.
pub(super) async fn send(
    client: &Client,
    (queue, url): (&str, &str),
    message: Message<'_>,
    timeout: SignedDuration,
) -> Result<Value, CloudError> {
    let what = format!("sending to {queue}");
    let call = client
        .send_message()
        .queue_url(url)
        .message_body(message.body)
        .set_message_group_id(message.group.map(str::to_owned))
        .set_message_deduplication_id(message.once.map(str::to_owned))
        .set_delay_seconds(message.delay_s.and_then(|delay| i32::try_from(delay).ok()));
    let limit = timeout.try_into().unwrap_or_default();
    let Ok(answer) = tokio::time::timeout(limit, call.send()).await else {
        return Err(CloudError::Network(format!("{what}: no answer within {timeout:#}")));
    };
    let sent = answer.map_err(|error| match Failure::of(&error) {
        Failure::Throttled => CloudError::Throttled(format!("{what}: the service asks to come back later")),
        Failure::NotSent(story) | Failure::Unknown(story) => CloudError::Network(format!("{what}: {story}")),
        Failure::Refused { code, message } => refused(&what, StatusCode::BAD_REQUEST, &code, &message),
    })?;
    Ok(json!({"message_id": sent.message_id}))
}
