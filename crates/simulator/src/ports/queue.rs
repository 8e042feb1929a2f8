//! Queues and timers whose calls take time, fail, and repeat themselves.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::ports::rules::MAX_MESSAGE_BODY;
use pawl_runtime::ports::{Message, Queue, QueueError, QueueName, QueueSource, Received, Timer, TimerError, Timers};

use crate::bug::{Bug, corrupt_post};
use crate::hub::{Fate, Hub};

/// Queues and timers of one process.
pub(super) struct Queues {
    hub: Arc<Hub>,
    queue: Arc<dyn Queue>,
    source: Arc<dyn QueueSource>,
    timers: Arc<dyn Timers>,
}

impl Queues {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        let (queue, source, timers) = (hub.store.queue(), hub.store.source(), hub.store.timers());
        Self { hub, queue, source, timers }
    }

    fn lost(&self, what: &str, fate: Fate) {
        if fate != Fate::Through {
            self.hub.note(&format!("{what} fails: {fate:?}"));
        }
    }
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, queue: QueueName, mut messages: Vec<Message>) -> Result<(), QueueError> {
        if self.hub.bug == Some(Bug::UntoldWaiters) {
            messages.retain(|message| !message.body.starts_with(r#"{"waiters""#));
        }
        let untold = match self.hub.bug {
            Some(Bug::UntoldParents) => Some(r#""news":"child_ended""#),
            Some(Bug::UntoldChildren) => Some(r#""news":"parent_changed""#),
            Some(Bug::UntoldEnds) => Some(r#""type":"workflow_ended""#),
            _ => None,
        };
        messages.retain(|message| untold.is_none_or(|news| !message.body.contains(news)));
        if let Some(bug) = self.hub.bug {
            for message in &mut messages {
                corrupt_post(bug, message, self.hub.now());
            }
        }
        self.hub.pause().await;
        let fate = self.hub.fate(true);
        self.lost("send", fate);
        if let Some(bytes) = messages.iter().map(|message| message.body.len()).find(|bytes| *bytes > MAX_MESSAGE_BODY) {
            self.hub.violate(7, format!("a message of {bytes} bytes is sent; a queue takes {MAX_MESSAGE_BODY}"));
        }
        if self.hub.bug == Some(Bug::BufferedSends) {
            let at = self.hub.now() + SignedDuration::from_millis(200);
            let mut state = self.hub.lock();
            let who = state.who;
            state.buffered.push((who, at, queue, messages));
            return Ok(());
        }
        if matches!(fate, Fate::Through | Fate::AnswerLost) {
            for message in &messages {
                self.hub.note(&format!("sends {queue:?} +{:#} {}", message.delay, short(&message.body)));
            }
            self.queue.send(queue, messages).await?;
        }
        self.hub.pause().await;
        match fate {
            Fate::Through => Ok(()),
            _ => Err(QueueError::Unavailable("no answer".to_owned())),
        }
    }
}

#[async_trait]
impl Timers for Queues {
    async fn set(&self, timer: Timer) -> Result<(), TimerError> {
        self.hub.pause().await;
        let fate = self.hub.fate(true);
        self.lost("set timer", fate);
        if matches!(fate, Fate::Through | Fate::AnswerLost) && self.hub.bug != Some(Bug::LostTimers) {
            self.hub.note(&format!("sets the timer {} at {}", timer.name, timer.due));
            self.timers.set(timer).await?;
        }
        self.hub.pause().await;
        match fate {
            Fate::Through => Ok(()),
            _ => Err(TimerError::Unavailable("no answer".to_owned())),
        }
    }

    async fn cancel(&self, name: &str) -> Result<(), TimerError> {
        self.hub.pause().await;
        let fate = self.hub.fate(true);
        self.lost("cancel timer", fate);
        if matches!(fate, Fate::Through | Fate::AnswerLost) {
            self.hub.note(&format!("cancels the timer {name}"));
            self.timers.cancel(name).await?;
        }
        self.hub.pause().await;
        match fate {
            Fate::Through => Ok(()),
            _ => Err(TimerError::Unavailable("no answer".to_owned())),
        }
    }
}

#[async_trait]
impl QueueSource for Queues {
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
    ) -> Result<Vec<Received>, QueueError> {
        self.source.receive(queue, max, visibility).await
    }

    async fn delete(&self, queue: QueueName, receipt: &str) -> Result<(), QueueError> {
        self.hub.pause().await;
        let fate = self.hub.fate(true);
        self.lost("delete", fate);
        if matches!(fate, Fate::Through | Fate::AnswerLost) {
            self.source.delete(queue, receipt).await?;
            self.hub.note(&format!("deletes {queue:?} {receipt}"));
        }
        self.hub.pause().await;
        match fate {
            Fate::Through => Ok(()),
            _ => Err(QueueError::Unavailable("no answer".to_owned())),
        }
    }

    async fn give_back(&self, queue: QueueName, receipt: &str, delay: SignedDuration) -> Result<(), QueueError> {
        self.hub.pause().await;
        let result = self.source.give_back(queue, receipt, delay).await;
        self.hub.pause().await;
        result
    }

    async fn put_off(&self, queue: QueueName, message: &Received, delay: SignedDuration) -> Result<(), QueueError> {
        self.hub.pause().await;
        let result = self.source.put_off(queue, message, delay).await;
        self.hub.pause().await;
        result
    }
}

/// A message in few words.
pub(crate) fn short(body: &str) -> &str {
    let end = body.char_indices().nth(100).map_or(body.len(), |(at, _)| at);
    &body[..end]
}
