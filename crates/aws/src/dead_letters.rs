//! Dead letters on SQS: each queue's dead-letter queue.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message as Letter, MessageSystemAttributeName};
use futures::future::try_join_all;
use jiff::SignedDuration;
use pawl_runtime::ports::{DeadLetter, DeadLetters, Message, Queue, QueueError, QueueName};

use crate::SqsQueue;
use crate::config::QueueUrls;
use crate::failure::Failure;
use crate::sdk::{ATTEMPT, CONNECT};
use crate::timer_relay;

/// Most messages that one call receives.
const MOST: i32 = 10;

/// A letter that is looked at is hidden for this long, so that the next call shows others; a redrive waits for it.
const GLANCE_S: i32 = 2;

/// Attribute of a message that says how often it was sent back.
const SENT_BACK: &str = "sent_back";

/// A letter that is put back is hidden for this long: time to send and delete it.
const MOVE_S: i32 = 60;

/// The dead-letter queues of some queues.
#[derive(Clone)]
pub struct SqsDeadLetters {
    client: Client,
    urls: QueueUrls,
    queue: SqsQueue,
}

impl SqsDeadLetters {
    /// Makes the client over the dead-letter queues by the queues that they belong to, to which letters go back.
    pub fn new(sdk: &SdkConfig, urls: QueueUrls, queue: SqsQueue) -> Self {
        Self { client: Client::new(sdk), urls, queue }
    }

    /// What a queue shows at once, hidden from others for some seconds.
    async fn receive(&self, url: &str, hidden_s: i32, wait_s: i32) -> Result<Vec<Letter>, QueueError> {
        let patience = Duration::from_secs(wait_s.unsigned_abs().into()) + ATTEMPT;
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(patience);
        let call = self.client.receive_message().queue_url(url).max_number_of_messages(MOST);
        let call = call.visibility_timeout(hidden_s).wait_time_seconds(wait_s);
        let call = call.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        let call = call.message_attribute_names(SENT_BACK).customize();
        let call = call.config_override(aws_sdk_sqs::Config::builder().timeout_config(timeouts.build()));
        let answer = call.send().await.map_err(|error| unavailable(&Failure::of(&error)))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Puts back letters of a queue, about `most` of them: all that one call shows.
    async fn empty(&self, queue: QueueName, url: &str, most: usize) -> Result<usize, QueueError> {
        let mut count = 0;
        while count < most {
            // Waits out a look, and asks all servers of the queue.
            let letters = self.receive(url, MOVE_S, GLANCE_S + 1).await?;
            if letters.is_empty() {
                break;
            }
            count += letters.len();
            try_join_all(letters.into_iter().map(|letter| self.put_back(queue, url, letter))).await?;
        }
        Ok(count)
    }

    /// Sends a letter to the queue from which it came, then deletes it: in between it is there twice, never nowhere.
    async fn put_back(&self, queue: QueueName, url: &str, letter: Letter) -> Result<(), QueueError> {
        let group = letter.attributes.and_then(|mut all| all.remove(&MessageSystemAttributeName::MessageGroupId));
        let body = letter.body.unwrap_or_default();
        let message = Message { body, delay: SignedDuration::ZERO, group: group.unwrap_or_default() };
        self.queue.send(queue, vec![message]).await?;
        self.delete(url, letter.receipt_handle.unwrap_or_default()).await
    }

    async fn delete(&self, url: &str, receipt: String) -> Result<(), QueueError> {
        let call = self.client.delete_message().queue_url(url).receipt_handle(receipt);
        call.send().await.map(drop).map_err(|error| unavailable(&Failure::of(&error)))
    }
}

#[async_trait]
impl DeadLetters for SqsDeadLetters {
    async fn look(&self, most: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let mut letters = Vec::new();
        for (queue, url) in &self.urls.0 {
            loop {
                let left = most.saturating_sub(letters.len());
                let shown = if left == 0 { Vec::new() } else { self.receive(url, GLANCE_S, 0).await? };
                if shown.is_empty() {
                    break;
                }
                letters.extend(shown.into_iter().take(left).map(|letter| seen(*queue, letter)));
            }
        }
        Ok(letters)
    }

    async fn redrive(&self, most: usize) -> Result<usize, QueueError> {
        // Whichever queue has that many, the sum says that some may be left.
        let queues = self.urls.0.iter().map(|(queue, url)| self.empty(*queue, url, most));
        Ok(try_join_all(queues).await?.into_iter().sum())
    }

    /// Its group is not known any more, so it takes its turn with all that have none.
    async fn send_back(&self, letter: &DeadLetter) -> Result<(), QueueError> {
        let DeadLetter { queue, body, receipt, sent_back } = letter;
        let Some(url) = self.urls.0.get(queue) else { return Ok(()) };
        let message = Message { body: body.clone(), delay: SignedDuration::ZERO, group: String::new() };
        self.queue.send_counted(*queue, message, SENT_BACK, sent_back.saturating_add(1)).await?;
        self.delete(url, receipt.clone()).await
    }
}

fn seen(queue: QueueName, letter: Letter) -> DeadLetter {
    let sent_back = letter.message_attributes.as_ref().and_then(|all| all.get(SENT_BACK)?.string_value()?.parse().ok());
    DeadLetter {
        queue,
        body: timer_relay::inner(letter.body.unwrap_or_default()),
        receipt: letter.receipt_handle.unwrap_or_default(),
        sent_back: sent_back.unwrap_or(0),
    }
}

fn unavailable(failure: &Failure) -> QueueError {
    QueueError::Unavailable(failure.to_string())
}
