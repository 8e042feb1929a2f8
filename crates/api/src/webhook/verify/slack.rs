//! `verify: slack`: `X-Slack-Signature: v0=<hex>` over `v0:<time>:<body>`.
//!
//! Source: Slack's developer docs, "Verifying requests from Slack".

use jiff::Timestamp;
use pawl_definition::trigger::HmacAlgorithm;

use super::super::{Delivery, Rejection, Signed};
use super::{DEFAULT_TOLERANCE, Keys, encoding, freshness, mac, signature};

/// Where the signature stands.
const HEADER: &str = "x-slack-signature";
/// Where the time of sending stands.
const TIME: &str = "x-slack-request-timestamp";

/// Checks the signature, then the time.
pub(super) fn check(keys: &Keys<'_>, delivery: &Delivery<'_>, now: Timestamp) -> Result<(), Rejection> {
    let header = || HEADER.to_owned();
    let written = delivery.header(HEADER).ok_or_else(|| Rejection::SignatureMissing { header: header() })?;
    let found = written.strip_prefix("v0=").and_then(encoding::hex).ok_or_else(|| Rejection::SignatureMalformed {
        header: header(),
        expected: "`v0=` and a signature in hexadecimal".to_owned(),
    })?;
    let time = delivery.header(TIME).ok_or_else(|| Rejection::TimestampMissing { header: TIME.to_owned() })?;
    let sent_s = freshness::seconds(time, TIME)?;
    let message: &[&[u8]] = &[b"v0:", time.as_bytes(), b":", delivery.body];
    if !signature::any_matches(HmacAlgorithm::Sha256, &keys.bytes(), message, &[found]) {
        return Err(Rejection::SignatureMismatch { header: header() });
    }
    freshness::check(sent_s, now, DEFAULT_TOLERANCE, TIME)
}

/// Signs as Slack does.
pub(super) fn sign(keys: &Keys<'_>, body: &[u8], now: Timestamp) -> Signed {
    let time = now.as_second().to_string();
    let message: &[&[u8]] = &[b"v0:", time.as_bytes(), b":", body];
    let signature = mac(HmacAlgorithm::Sha256, keys.first(), message);
    Signed::header(HEADER, format!("v0={}", encoding::to_hex(&signature))).and(TIME, time)
}
