//! The receiving side. On AWS, Lambda is the driver; this serves tests and tools.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{Message as Letter, MessageSystemAttributeName};
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::rules::validate_delay;
use pawl_runtime::ports::{Message, Queue, QueueError, QueueName, QueueSource, Received};
use tokio::task::JoinHandle;

use super::batch::whole_seconds;
use super::{PUT_OFF, SqsQueue, unavailable};
use crate::failure::Failure;
use crate::sdk::{ATTEMPT, CONNECT};
use crate::timer_relay::{self, Arrived};

/// Longest that the service waits for a message.
const WAIT: Duration = Duration::from_secs(20);

/// Most messages that one call receives.
const MOST: usize = 10;

/// Codes by which the service says that a receipt stands for nothing.
const UNKNOWN_RECEIPT: &[&str] = &["ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"];

/// Receives that their callers stopped to wait for. The service may have handed out messages to them already, so the
/// next receiver takes them over; nothing is lost.
pub(super) type Orphans = Mutex<BTreeMap<QueueName, Vec<Poll>>>;

/// A receive under way.
pub(super) struct Poll {
    task: JoinHandle<Result<Letters, QueueError>>,
    visibility: SignedDuration,
}

/// What a receive brought.
struct Letters {
    letters: Vec<Letter>,
    /// From then on, others may receive them.
    hidden_until: Timestamp,
}

/// Waits for a receive, and leaves it to the next one if dropped.
struct Waiting<'a> {
    orphans: &'a Orphans,
    queue: QueueName,
    poll: Option<Poll>,
}

impl Waiting<'_> {
    async fn wait(mut self) -> Result<Letters, QueueError> {
        let poll = self.poll.as_mut().expect("it is there until it ends");
        let ended = (&mut poll.task).await;
        self.poll = None;
        ended.map_err(|error| QueueError::Unavailable(error.to_string()))?
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(poll) = self.poll.take() {
            let mut orphans = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
            orphans.entry(self.queue).or_default().push(poll);
        }
    }
}

#[async_trait]
impl QueueSource for SqsQueue {
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
    ) -> Result<Vec<Received>, QueueError> {
        if max == 0 {
            return Err(QueueError::Invalid("expected to receive at most 1 or more, found 0".to_owned()));
        }
        let url = self.url(queue)?.to_owned();
        loop {
            let poll = self.adopt(queue).unwrap_or_else(|| self.poll(&url, max, visibility));
            let hidden_for = poll.visibility;
            let waiting = Waiting { orphans: &self.orphans, queue, poll: Some(poll) };
            let Letters { mut letters, hidden_until } = waiting.wait().await?;
            if hidden_until <= self.clock.now() {
                continue;
            }
            for surplus in letters.split_off(max.min(letters.len())) {
                self.hide(&url, &receipt(&surplus), SignedDuration::ZERO).await?;
            }
            if hidden_for != visibility {
                for letter in &letters {
                    self.hide(&url, &receipt(letter), visibility).await?;
                }
            }
            let received = self.open(queue, letters).await?;
            if !received.is_empty() {
                return Ok(received);
            }
        }
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        let call = self.client.delete_message().queue_url(self.url(queue)?).receipt_handle(receipt);
        call.send().await.map(drop).or_else(|error| forgive(error.code(), &Failure::of(&error)))
    }

    async fn give_back(&self, queue: QueueName, receipt: &str, delay: SignedDuration) -> Result<(), QueueError> {
        validate_delay(delay)?;
        self.hide(self.url(queue)?, receipt, delay).await
    }

    /// The service counts receives for ever, so the message is sent anew, then deleted.
    async fn put_off(&self, queue: QueueName, message: &Received, delay: SignedDuration) -> Result<(), QueueError> {
        let Received { body, group, receipt, put_off, .. } = message;
        let anew = Message { body: body.clone(), delay, group: group.clone().unwrap_or_default() };
        self.send_counted(queue, anew, PUT_OFF, put_off.saturating_add(1)).await?;
        self.delete(queue, receipt).await
    }
}

impl SqsQueue {
    fn adopt(&self, queue: QueueName) -> Option<Poll> {
        let mut orphans = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        orphans.get_mut(&queue)?.pop()
    }

    /// Begins a receive that goes on when nobody waits for it any more.
    fn poll(&self, url: &str, max: usize, visibility: SignedDuration) -> Poll {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(WAIT + ATTEMPT);
        let timeouts = aws_sdk_sqs::config::Config::builder().timeout_config(timeouts.build());
        let most = i32::try_from(max.min(MOST)).expect("ten is a small number");
        let call = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(most)
            .visibility_timeout(whole_seconds(visibility))
            .wait_time_seconds(i32::try_from(WAIT.as_secs()).expect("a wait is short"))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_attribute_names(PUT_OFF)
            .customize()
            .config_override(timeouts);
        let clock = self.clock.clone();
        let task = tokio::spawn(async move {
            let answer = call.send().await.map_err(|error| unavailable(&Failure::of(&error)))?;
            let hidden_until = clock.now().saturating_add(visibility).unwrap_or(Timestamp::MAX);
            Ok(Letters { letters: answer.messages.unwrap_or_default(), hidden_until })
        });
        Poll { task, visibility }
    }

    /// Reads letters; timers that come early are sent on to their time.
    async fn open(&self, queue: QueueName, letters: Vec<Letter>) -> Result<Vec<Received>, QueueError> {
        let mut received = Vec::with_capacity(letters.len());
        for letter in letters {
            let receipt = receipt(&letter);
            let attempt = attribute(&letter, &MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1);
            let sent_at = attribute(&letter, &MessageSystemAttributeName::SentTimestamp).unwrap_or_default();
            let put_off =
                letter.message_attributes.as_ref().and_then(|all| all.get(PUT_OFF)?.string_value()?.parse().ok());
            let group = letter.attributes.as_ref();
            let group = group.and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId)).cloned();
            match timer_relay::read(letter.body.unwrap_or_default(), self.clock.now()) {
                Arrived::Now(body) => received.push(Received {
                    receipt,
                    body,
                    attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
                    put_off: put_off.unwrap_or(0),
                    group,
                    sent_at: Timestamp::from_millisecond(sent_at).unwrap_or_default(),
                }),
                Arrived::Early(message) => {
                    self.send(queue, vec![message]).await?;
                    self.delete(queue, &receipt).await?;
                }
            }
        }
        Ok(received)
    }

    /// Hides a message for a time from now on.
    async fn hide(&self, url: &str, receipt: &str, span: SignedDuration) -> Result<(), QueueError> {
        let call = self.client.change_message_visibility().queue_url(url).receipt_handle(receipt);
        let answer = call.visibility_timeout(whole_seconds(span)).send().await;
        answer.map(drop).or_else(|error| forgive(error.code(), &Failure::of(&error)))
    }
}

/// An unknown receipt is no error.
fn forgive(code: Option<&str>, failure: &Failure) -> Result<(), QueueError> {
    match code {
        Some(code) if UNKNOWN_RECEIPT.iter().any(|unknown| code.ends_with(unknown)) => Ok(()),
        _ => Err(unavailable(failure)),
    }
}

fn receipt(letter: &Letter) -> String {
    letter.receipt_handle.clone().unwrap_or_default()
}

fn attribute(letter: &Letter, name: &MessageSystemAttributeName) -> Option<i64> {
    letter.attributes.as_ref()?.get(name)?.parse().ok()
}
