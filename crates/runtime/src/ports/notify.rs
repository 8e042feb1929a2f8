//! Notices to people who answer for workflows.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A notice to an owner or operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Stable id: the same notice twice is one.
    pub id: String,
    /// Address.
    pub to: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// One line.
    pub subject: String,
    /// What happened and what to do.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Why a notice could not be handed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the notice could not be sent: {0}")]
pub struct NoticeError(pub String);

/// The notice port.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Hands a notice on; at least once.
    async fn notify(&self, notice: Notice) -> Result<(), NoticeError>;
}
