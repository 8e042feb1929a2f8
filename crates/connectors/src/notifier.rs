//! Notices to people, where nobody but the log takes them.

use async_trait::async_trait;
use pawl_runtime::ports::{Notice, NoticeError, Notifier};

/// Notices go to the log; they are also kept, at `/v1/notices`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    async fn notify(&self, notice: Notice) -> Result<(), NoticeError> {
        let Notice { id, to, severity, subject, .. } = notice;
        match severity.as_str() {
            "info" => tracing::info!(notice_id = %id, %to, %severity, "notice to {to}: {subject}"),
            "critical" => tracing::error!(notice_id = %id, %to, %severity, "notice to {to}: {subject}"),
            _ => tracing::warn!(notice_id = %id, %to, %severity, "notice to {to}: {subject}"),
        }
        Ok(())
    }
}
