//! Notices to people, where nobody but the log takes them.

use async_trait::async_trait;
use pawl_runtime::ports::{Notice, NoticeError, Notifier};

/// Notices go to the log; they are also kept, at `/v1/notices`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, notice: Notice) -> Result<(), NoticeError> {
        tracing::warn!(to = %notice.to, severity = %notice.severity, "notice to {}: {}", notice.to, notice.subject);
        Ok(())
    }
}
