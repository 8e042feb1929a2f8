//! Whether a delivery was sent recently.

use jiff::{SignedDuration, Timestamp};

use super::super::Rejection;

/// Difference from the clock that is accepted where the author gives none: that of Stripe, Slack and Standard Webhooks.
pub const DEFAULT_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Reads whole seconds since 1970.
pub(super) fn seconds(text: &str, header: &str) -> Result<i64, Rejection> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let malformed = || Rejection::TimestampMalformed { header: header.to_owned() };
    if digits { text.parse().map_err(|_| malformed()) } else { Err(malformed()) }
}

/// Refuses a time too far from now, in either direction.
///
/// Called after the signature was found right, so that `signature_expired` always means a genuine delivery.
pub(super) fn check(sent_s: i64, now: Timestamp, tolerance: SignedDuration, header: &str) -> Result<(), Rejection> {
    let off_by_s = now.as_second().saturating_sub(sent_s);
    let tolerance_s = tolerance.as_secs();
    if off_by_s.saturating_abs() <= tolerance_s {
        Ok(())
    } else {
        Err(Rejection::SignatureExpired { header: header.to_owned(), off_by_s, tolerance_s })
    }
}
