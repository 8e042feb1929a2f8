//! `verify: github`: `X-Hub-Signature-256: sha256=<hex>` over the body.
//!
//! Source: GitHub Docs, "Validating webhook deliveries". The older SHA-1 header is not looked at.

use pawl_definition::trigger::HmacAlgorithm;

use super::super::{Delivery, Rejection, Signed};
use super::{Keys, encoding, mac, signature};

/// Where the signature stands.
const HEADER: &str = "x-hub-signature-256";

/// Checks the signature.
pub(super) fn check(keys: &Keys<'_>, delivery: &Delivery<'_>) -> Result<(), Rejection> {
    let header = || HEADER.to_owned();
    let written = delivery.header(HEADER).ok_or_else(|| Rejection::SignatureMissing { header: header() })?;
    let found =
        written.strip_prefix("sha256=").and_then(encoding::hex).ok_or_else(|| Rejection::SignatureMalformed {
            header: header(),
            expected: "`sha256=` and a signature in hexadecimal".to_owned(),
        })?;
    if signature::any_matches(HmacAlgorithm::Sha256, &keys.bytes(), &[delivery.body], &[found]) {
        Ok(())
    } else {
        Err(Rejection::SignatureMismatch { header: header() })
    }
}

/// Signs as GitHub does.
pub(super) fn sign(keys: &Keys<'_>, body: &[u8]) -> Signed {
    let signature = mac(HmacAlgorithm::Sha256, keys.first(), &[body]);
    Signed::header(HEADER, format!("sha256={}", encoding::to_hex(&signature)))
}
