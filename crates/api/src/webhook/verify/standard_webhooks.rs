//! `verify: standard-webhooks`: `webhook-signature: v1,<base64> …` over `<id>.<time>.<body>`.
//!
//! Source: the Standard Webhooks specification, "Signature scheme". The same headers with `svix-` in place of `webhook-`
//! are accepted. Asymmetric signatures (`v1a`) are ignored.

use jiff::Timestamp;
use pawl_definition::trigger::HmacAlgorithm;

use super::super::{Delivery, Rejection, Signed};
use super::{DEFAULT_TOLERANCE, Keys, encoding, freshness, signature, signed};

/// The names of its headers.
struct Headers {
    id: &'static str,
    time: &'static str,
    signature: &'static str,
}

const STANDARD: Headers = Headers { id: "webhook-id", time: "webhook-timestamp", signature: "webhook-signature" };
const SVIX: Headers = Headers { id: "svix-id", time: "svix-timestamp", signature: "svix-signature" };

impl Headers {
    /// Those of a delivery.
    fn of(delivery: &Delivery<'_>) -> Self {
        let is_svix = delivery.header(SVIX.signature).is_some() && delivery.header(STANDARD.signature).is_none();
        if is_svix { SVIX } else { STANDARD }
    }
}

/// Names the header of the delivery's id, the one that is signed.
pub(crate) fn id_header(delivery: &Delivery<'_>) -> &'static str {
    Headers::of(delivery).id
}

/// Checks the signatures, then the time.
pub(super) fn check(keys: &Keys<'_>, delivery: &Delivery<'_>, now: Timestamp) -> Result<(), Rejection> {
    let headers = Headers::of(delivery);
    let header = || headers.signature.to_owned();
    let written = delivery.header(headers.signature).ok_or_else(|| Rejection::SignatureMissing { header: header() })?;
    let id = delivery.header(headers.id).ok_or_else(|| Rejection::SignatureMalformed {
        header: headers.id.to_owned(),
        expected: "the id of the delivery, which is signed with the body".to_owned(),
    })?;
    let time =
        delivery.header(headers.time).ok_or_else(|| Rejection::TimestampMissing { header: headers.time.to_owned() })?;
    let sent_s = freshness::seconds(time, headers.time)?;
    let found: Vec<Vec<u8>> =
        written.split_ascii_whitespace().filter_map(|item| encoding::base64(item.strip_prefix("v1,")?)).collect();
    if found.is_empty() {
        let expected = "`v1,` and a signature in base64".to_owned();
        return Err(Rejection::SignatureMalformed { header: header(), expected });
    }
    let message: &[&[u8]] = &[id.as_bytes(), b".", time.as_bytes(), b".", delivery.body];
    let (usable, unusable) = decoded(keys);
    if !signature::any_matches(HmacAlgorithm::Sha256, &usable, message, &found) {
        return Err(unusable.unwrap_or_else(|| Rejection::SignatureMismatch { header: header() }));
    }
    freshness::check(sent_s, now, DEFAULT_TOLERANCE, headers.time)
}

/// Reads the secrets, base64 and usually after `whsec_`: those that are, and a complaint about one that is not.
fn decoded(keys: &Keys<'_>) -> (Vec<Vec<u8>>, Option<Rejection>) {
    let mut usable = Vec::new();
    let mut unusable = None;
    for (name, value) in keys.named() {
        if let Some(key) = signed::standard_webhooks_key(value) {
            usable.push(key);
        } else {
            let expected = "`whsec_` and a key in base64".to_owned();
            unusable = Some(Rejection::SecretMalformed { name: (*name).to_owned(), expected });
        }
    }
    (usable, unusable)
}

/// Signs as the specification says, under this id of the delivery.
pub(super) fn sign(keys: &Keys<'_>, id: &str, body: &[u8], now: Timestamp) -> Result<Signed, Rejection> {
    let (usable, unusable) = decoded(keys);
    let key = match (usable.first(), unusable) {
        (Some(key), _) => key,
        (None, unusable) => return Err(unusable.unwrap_or(Rejection::SecretMissing { names: Vec::new() })),
    };
    Ok(Signed { headers: signed::standard_webhooks(key, id, body, now), ..Signed::default() })
}
