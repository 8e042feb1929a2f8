//! `verify: hmac`: a signature over the raw body, as the author describes it.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::trigger::{Encoding, HmacVerify};

use super::super::{Delivery, Rejection, Signed};
use super::{DEFAULT_TOLERANCE, Keys, encoding, freshness, signature, signed};

/// Checks the signature over the body, or over `<time>.<body>` if the author names a header for the time.
pub(super) fn check(
    shape: &HmacVerify,
    keys: &Keys<'_>,
    delivery: &Delivery<'_>,
    now: Timestamp,
) -> Result<(), Rejection> {
    let header = shape.header.to_ascii_lowercase();
    let written = delivery.header(&header).ok_or_else(|| Rejection::SignatureMissing { header: header.clone() })?;
    let found = written.strip_prefix(shape.prefix.trim_start()).and_then(|text| decode(shape.encoding, text));
    let found = found.ok_or_else(|| Rejection::SignatureMalformed {
        header: header.clone(),
        expected: expected(&shape.prefix, shape.encoding),
    })?;
    let time = shape.timestamp_header.as_deref().map(|name| time_of(name, delivery)).transpose()?;
    let message: &[&[u8]] = match &time {
        Some(time) => &[time.written.as_bytes(), b".", delivery.body],
        None => &[delivery.body],
    };
    if !signature::any_matches(shape.algorithm, &keys.bytes(), message, &[found]) {
        return Err(Rejection::SignatureMismatch { header });
    }
    match time {
        Some(time) => freshness::check(time.sent_s, now, tolerance(shape), &time.header),
        None => Ok(()),
    }
}

struct Time<'a> {
    header: String,
    written: &'a str,
    sent_s: i64,
}

fn time_of<'a>(name: &str, delivery: &Delivery<'a>) -> Result<Time<'a>, Rejection> {
    let header = name.to_ascii_lowercase();
    let written = delivery.header(&header).ok_or_else(|| Rejection::TimestampMissing { header: header.clone() })?;
    Ok(Time { sent_s: freshness::seconds(written, &header)?, header, written })
}

fn tolerance(shape: &HmacVerify) -> SignedDuration {
    shape.tolerance.as_ref().map_or(DEFAULT_TOLERANCE, pawl_definition::Duration::approximate)
}

fn decode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex => encoding::hex(text),
        Encoding::Base64 => encoding::base64(text),
    }
}

fn expected(prefix: &str, encoding: Encoding) -> String {
    let written = match encoding {
        Encoding::Hex => "hexadecimal",
        Encoding::Base64 => "base64",
    };
    if prefix.is_empty() {
        format!("a signature in {written}")
    } else {
        format!("{prefix:?} and a signature in {written}")
    }
}

/// Signs as the author describes it.
pub(super) fn sign(shape: &HmacVerify, keys: &Keys<'_>, body: &[u8], now: Timestamp) -> Signed {
    Signed { headers: signed::hmac(&shape.scheme(), keys.first(), body, now), ..Signed::default() }
}
