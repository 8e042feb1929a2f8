//! Queues on SQS.
//!
//! - [`batch`]: messages in pieces that the service takes.
//! - [`receive`]: the receiving side.

mod batch;
mod receive;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::{StreamExt, TryStreamExt, stream};
use pawl_runtime::ports::{Clock, Message, Queue, QueueError, QueueName, Random};

use crate::config::QueueUrls;
use crate::failure::Failure;
use crate::pace::Pace;
use receive::Orphans;

/// Attribute of a message that says how often it was put off.
pub const PUT_OFF: &str = "put_off";

/// Batches that one call sends at once.
const BATCHES_AT_ONCE: usize = 4;

/// Queues on SQS, standard ones, fair by the message's group.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    urls: QueueUrls,
    clock: Arc<dyn Clock>,
    pace: Pace,
    orphans: Arc<Orphans>,
}

impl SqsQueue {
    /// Makes the client. The clock decides which timers that come early wait on; chance spreads repeats.
    pub fn new(sdk: &SdkConfig, urls: QueueUrls, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { client: Client::new(sdk), urls, clock, pace: Pace::new(random), orphans: Arc::default() }
    }

    fn url(&self, queue: QueueName) -> Result<&str, QueueError> {
        let url = self.urls.0.get(&queue).map(String::as_str);
        url.ok_or_else(|| QueueError::Invalid(format!("the queue {queue:?} is not configured for this function")))
    }

    /// Sends a message with a count beside its body, which receivers find as an attribute.
    pub(crate) async fn send_counted(
        &self,
        queue: QueueName,
        message: Message,
        name: &str,
        count: u32,
    ) -> Result<(), QueueError> {
        message.validate()?;
        self.send_batch(self.url(queue)?, vec![batch::counted(message, name, count)]).await
    }

    /// Sends one batch; what the service did not take is sent again.
    async fn send_batch(&self, url: &str, mut batch: Vec<SendMessageBatchRequestEntry>) -> Result<(), QueueError> {
        for attempt in 1..=Pace::attempts() {
            let call = self.client.send_message_batch().queue_url(url).set_entries(Some(batch.clone()));
            let answer = call.send().await.map_err(|error| unavailable(&Failure::of(&error)))?;
            let failed = answer.failed;
            if let Some(refused) = failed.iter().find(|failed| failed.sender_fault) {
                let story = refused.message.clone().unwrap_or_default();
                return Err(QueueError::Invalid(format!("{}: {story}", refused.code)));
            }
            batch.retain(|entry| failed.iter().any(|failed| failed.id == entry.id));
            if batch.is_empty() {
                return Ok(());
            }
            if attempt < Pace::attempts() {
                self.pace.pause(attempt).await;
            }
        }
        Err(QueueError::Unavailable(format!("{} messages of a batch were not taken", batch.len())))
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, queue: QueueName, messages: Vec<Message>) -> Result<(), QueueError> {
        messages.iter().try_for_each(Message::validate)?;
        let url = self.url(queue)?;
        let batches = batch::pack(messages);
        let sent = stream::iter(batches).map(|batch| self.send_batch(url, batch)).buffer_unordered(BATCHES_AT_ONCE);
        sent.try_collect().await
    }
}

fn unavailable(failure: &Failure) -> QueueError {
    QueueError::Unavailable(failure.to_string())
}
