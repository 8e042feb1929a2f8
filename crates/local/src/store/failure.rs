//! How the file failed, in words for people.

use std::any::Any;

use rusqlite::ErrorCode;

/// After which a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) why: String,
    /// Opening the file again cannot help.
    pub(super) is_final: bool,
}

impl Failure {
    /// Something that another try may mend.
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_final: false }
    }

    /// A thread of the store panicked.
    pub(super) fn panicked(thread: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
        Self::passing(format!("the {thread} panicked: {text}"))
    }
}

/// Whether an error says something of the file, and not only of what was asked of it.
pub(super) fn concerns_file(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
        )
    )
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let hint = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds a lock on the database",
            Some(ErrorCode::DiskFull) => "the disk is full",
            Some(ErrorCode::SystemIoFailure) => "the disk does not read or write",
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "the data folder cannot be written",
            Some(ErrorCode::CannotOpen) => "the database cannot be opened",
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "the database is damaged",
            _ => "the database failed",
        };
        let is_final = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
        Self { why: format!("{hint}: {error}"), is_final }
    }
}

impl From<super::OpenError> for Failure {
    fn from(error: super::OpenError) -> Self {
        match error {
            super::OpenError::Database(error) => error.into(),
            newer @ super::OpenError::Newer { .. } => Self { why: newer.to_string(), is_final: true },
            other => Self::passing(other.to_string()),
        }
    }
}
