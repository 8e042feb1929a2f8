//! Tasks: the futures of handlers, looked at one at a time.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use pawl_runtime::ports::QueueName;

use super::hub::{Hub, Who};

/// What a task came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// A message was handled, or not.
    Handled,
    /// An action was answered.
    Answered(Answer),
    /// A sweep is over.
    Swept,
    /// What was given up is on its way again.
    Redriven,
}

/// What an action was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done, durably. An accepted event has its id here.
    Done(Option<Accepted>),
    /// It was refused for good.
    Refused,
    /// Nobody knows: whoever asked asks again.
    Lost,
}

/// An event that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Accepted {
    pub(super) event: String,
    pub(super) workflow: String,
    pub(super) trigger: String,
    pub(super) replayed: bool,
}

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Handles a message.
    Message(QueueName),
    /// Carries out the action with this number.
    Action(usize),
    /// Sweeps.
    Sweep,
    /// An operator acts.
    Operator,
}

/// A future of a handler, in a process.
pub(super) type Work = Pin<Box<dyn Future<Output = Ended>>>;

/// One task.
pub(super) struct Task {
    pub(super) who: Who,
    pub(super) purpose: Purpose,
    pub(super) ready: Timestamp,
    /// The message that it handles, and gives back if it panics.
    pub(super) receipt: Option<String>,
    work: Work,
}

impl Task {
    pub(super) fn new(who: Who, purpose: Purpose, ready: Timestamp, work: Work) -> Self {
        Self { who, purpose, ready, receipt: None, work }
    }

    /// Lets it go on to its next pause.
    pub(super) fn step(&mut self, hub: &Hub) -> Option<Ended> {
        hub.lock().who = self.who;
        let mut context = Context::from_waker(Waker::noop());
        match self.work.as_mut().poll(&mut context) {
            Poll::Ready(ended) => Some(ended),
            Poll::Pending => {
                let wait = hub.take_wait().expect("a task waits only at pauses");
                self.ready = hub.now() + wait;
                None
            }
        }
    }
}
