//! Why a handler could not finish. The message that it handled is delivered again.

use crate::items::Unreadable;
use crate::ports::{BlobError, NoticeError, QueueError, TableError, TimerError};

/// A failure of infrastructure, or of stored data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Storage.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Timers.
    #[error(transparent)]
    Timer(#[from] TimerError),
    /// Blobs.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Notices.
    #[error(transparent)]
    Notice(#[from] NoticeError),
    /// A stored item does not have its shape.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A message is not what its queue carries. It will never be: it goes to the dead-letter queue.
    #[error("the message is not readable: {0}")]
    Poison(String),
    /// The same execution was changed by others again and again.
    #[error("execution {0} is contended; tries again later")]
    Contended(String),
    /// A workflow that an execution needs is gone.
    #[error("workflow {0:?} revision {1} is not stored")]
    NoWorkflow(String, u64),
}

impl Error {
    /// Whether it is a lost race, to be decided again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Table(TableError::Conflict(_)))
    }

    /// Whether nobody knows if the write happened.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Table(TableError::Unknown(_)))
    }
}
