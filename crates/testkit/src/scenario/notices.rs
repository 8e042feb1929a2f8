//! Notices, kept instead of sent.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use pawl_runtime::ports::{Notice, NoticeError, Notifier};

/// The notice port that keeps what it is handed.
#[derive(Default)]
pub struct KeptNotices {
    kept: Mutex<Vec<Notice>>,
}

impl KeptNotices {
    /// The notices, oldest first.
    pub fn all(&self) -> Vec<Notice> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notifier for KeptNotices {
    async fn notify(&self, notice: Notice) -> Result<(), NoticeError> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
        Ok(())
    }
}
