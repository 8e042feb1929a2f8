//! Timers: a message to a queue at a later time.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Message, QueueName};

/// A one-time timer. It fires at least once, never early, then is gone. In its last minute it may be on its way
/// already: replacing or cancelling it then may come too late, and its receiver must tolerate a timer that is stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Unique name, `[a-zA-Z0-9._-]{1,64}`; setting a name again replaces its timer.
    pub name: String,
    /// When to fire; the past means at once.
    pub due: Timestamp,
    /// Where the message goes.
    pub queue: QueueName,
    /// What is sent; its own delay is ignored.
    pub message: Message,
}

/// Why a timer call failed. A failed `set` may have set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimerError {
    /// Try again.
    #[error("timers are unavailable: {0}")]
    Unavailable(String),
    /// The call breaks a rule of the port.
    #[error("invalid timer call: {0}")]
    Invalid(String),
}

/// The timer port.
#[async_trait]
pub trait Timers: Send + Sync {
    /// Sets a timer.
    async fn set(&self, timer: Timer) -> Result<(), TimerError>;

    /// Cancels a timer; an unknown name is no error. One in its last minute may fire all the same.
    async fn cancel(&self, name: &str) -> Result<(), TimerError>;
}
