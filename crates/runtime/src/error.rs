//! Why a handler could not finish. The message that it handled is delivered again.

use pawl_engine::{Illegal, StepCode, StepError};

use crate::items::{self, Unreadable};
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
    /// State and input never come together by the protocol.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The same execution was changed by others again and again.
    #[error("execution {0} is contended; tries again later")]
    Contended(String),
    /// A workflow that an execution needs is gone.
    #[error("workflow {0:?} revision {1} is not stored")]
    NoWorkflow(String, u64),
    /// A calendar that a workflow names is gone.
    #[error("the calendar {0:?} is not stored")]
    NoCalendar(String),
}

impl Error {
    /// Its stable code; each has a page in `docs/errors`. Only `internal`, `unreadable_item` and `value_too_deep`
    /// do not go away by themselves.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Table(TableError::Throttled) => "throttled",
            Self::Table(TableError::Conflict(_)) | Self::Contended(_) => "contended",
            Self::Table(TableError::Unknown(_)) => "outcome_unknown",
            Self::Table(TableError::Unavailable(_))
            | Self::Queue(QueueError::Unavailable(_) | QueueError::Invalid(_))
            | Self::Timer(_)
            | Self::Blob(_)
            | Self::Notice(_) => "unavailable",
            Self::Queue(QueueError::Full(_)) => "backlog_full",
            Self::Table(TableError::TooDeep(_)) => "value_too_deep",
            Self::Unreadable(_) => "unreadable_item",
            Self::Table(TableError::Invalid(_))
            | Self::Illegal(_)
            | Self::Poison(_)
            | Self::NoWorkflow(..)
            | Self::NoCalendar(_) => "internal",
        }
    }

    /// Whether it is a failure of infrastructure, or of a race, and not of the message that is handled: it goes away by
    /// itself, so the message is put off and its delivery does not count.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Table(error) => match error {
                TableError::Throttled
                | TableError::Conflict(_)
                | TableError::Unknown(_)
                | TableError::Unavailable(_) => true,
                TableError::TooDeep(_) | TableError::Invalid(_) => false,
            },
            Self::Queue(error) => !matches!(error, QueueError::Invalid(_)),
            Self::Timer(error) => !matches!(error, TimerError::Invalid(_)),
            Self::Blob(error) => !matches!(error, BlobError::NotFound(_)),
            Self::Notice(_) | Self::Contended(_) => true,
            Self::Unreadable(_) | Self::Poison(_) | Self::Illegal(_) | Self::NoWorkflow(..) | Self::NoCalendar(_) => {
                false
            }
        }
    }

    /// Whether it is a lost race, to be decided again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Table(TableError::Conflict(_)))
    }

    /// If it is a race lost to nothing but unique values of other records: which one is taken. Trying again loses again.
    pub(crate) fn taken(&self) -> Option<StepError> {
        let Self::Table(TableError::Conflict(conflicts)) = self else { return None };
        let rows = conflicts.iter().map(|conflict| conflict.current.as_ref().and_then(items::record::claimed));
        let rows: Option<Vec<_>> = rows.collect();
        let (object, field, value) = rows?.into_iter().next()?;
        let message = format!("`{field}`: another record of {object:?} has the value {value:?} already");
        Some(StepError::new(StepCode::DuplicateRecord, message))
    }

    /// Whether nobody knows if the write happened.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Table(TableError::Unknown(_)))
    }
}
