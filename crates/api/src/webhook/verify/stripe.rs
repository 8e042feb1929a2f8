//! `verify: stripe`: `Stripe-Signature: t=<time>,v1=<hex>,…` over `<time>.<body>`.
//!
//! Source: Stripe's docs, "Verify webhook signatures manually". Several `v1` are sent while a secret is rolled; other
//! schemes, such as the `v0` of test deliveries, are ignored.

use jiff::Timestamp;
use pawl_definition::trigger::HmacAlgorithm;

use super::super::{Delivery, Rejection, Signed};
use super::{DEFAULT_TOLERANCE, Keys, encoding, freshness, mac, signature};

/// Where time and signatures stand.
const HEADER: &str = "stripe-signature";

/// Checks the signatures, then the time.
pub(super) fn check(keys: &Keys<'_>, delivery: &Delivery<'_>, now: Timestamp) -> Result<(), Rejection> {
    let header = || HEADER.to_owned();
    let written = delivery.header(HEADER).ok_or_else(|| Rejection::SignatureMissing { header: header() })?;
    let items: Vec<(&str, &str)> = written.split(',').filter_map(|item| item.trim().split_once('=')).collect();
    let found: Vec<Vec<u8>> =
        items.iter().filter(|(scheme, _)| *scheme == "v1").filter_map(|(_, text)| encoding::hex(text)).collect();
    let time = items.iter().find(|(scheme, _)| *scheme == "t").map(|(_, time)| *time);
    let (Some(time), false) = (time, found.is_empty()) else {
        let expected = "`t=<time>,v1=<signature in hexadecimal>`".to_owned();
        return Err(Rejection::SignatureMalformed { header: header(), expected });
    };
    let sent_s = freshness::seconds(time, HEADER)?;
    let message: &[&[u8]] = &[time.as_bytes(), b".", delivery.body];
    if !signature::any_matches(HmacAlgorithm::Sha256, &keys.bytes(), message, &found) {
        return Err(Rejection::SignatureMismatch { header: header() });
    }
    freshness::check(sent_s, now, DEFAULT_TOLERANCE, HEADER)
}

/// Signs as Stripe does.
pub(super) fn sign(keys: &Keys<'_>, body: &[u8], now: Timestamp) -> Signed {
    let time = now.as_second().to_string();
    let signature = mac(HmacAlgorithm::Sha256, keys.first(), &[time.as_bytes(), b".", body]);
    Signed::header(HEADER, format!("t={time},v1={}", encoding::to_hex(&signature)))
}
