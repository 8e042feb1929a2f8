//! Notices, kept instead of sent.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use pawl_runtime::ports::{Notice, NoticeError, Notifier};

use super::{ExpectedNotice, World};
use crate::cases::fits_pattern;

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

impl ExpectedNotice {
    fn fits(&self, notice: &Notice) -> bool {
        let fits = |expected: &Option<String>, found: &str| {
            expected.as_ref().is_none_or(|expected| fits_pattern(expected, found))
        };
        fits(&self.to, &notice.to)
            && fits(&self.severity, &notice.severity)
            && fits(&self.subject, &notice.subject)
            && fits(&self.text, &notice.text)
    }

    fn told(&self) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "*".to_owned());
        format!("{} to {}: {} {}", part(&self.severity), part(&self.to), part(&self.subject), part(&self.text))
    }
}

impl World {
    pub(super) fn notice_difference(&self, expected: &[ExpectedNotice]) -> Option<String> {
        let notices = self.notices();
        if notices.len() == expected.len() && expected.iter().zip(&notices).all(|(one, notice)| one.fits(notice)) {
            return None;
        }
        let expected = expected.iter().map(|notice| format!("\n  - {}", notice.told()));
        let told = |notice: &Notice| {
            let Notice { to, severity, subject, text, .. } = notice;
            format!("\n  + {severity} to {to}: {subject} {text}")
        };
        let lines: String = expected.chain(notices.iter().map(told)).collect();
        Some(format!("the notices differ (- expected, + handed on):{lines}"))
    }
}

#[async_trait]
impl Notifier for KeptNotices {
    async fn notify(&self, notice: Notice) -> Result<(), NoticeError> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
        Ok(())
    }
}
