//! `verify: shopify`: `X-Shopify-Hmac-Sha256: <base64>` over the body.
//!
//! Source: shopify.dev, "Deliver webhooks through HTTPS: validate the origin of your webhook".

use pawl_definition::trigger::HmacAlgorithm;

use super::super::{Delivery, Rejection, Signed};
use super::{Keys, encoding, mac, signature};

/// Where the signature stands.
const HEADER: &str = "x-shopify-hmac-sha256";

/// Checks the signature.
pub(super) fn check(keys: &Keys<'_>, delivery: &Delivery<'_>) -> Result<(), Rejection> {
    let header = || HEADER.to_owned();
    let written = delivery.header(HEADER).ok_or_else(|| Rejection::SignatureMissing { header: header() })?;
    let found = encoding::base64(written).ok_or_else(|| Rejection::SignatureMalformed {
        header: header(),
        expected: "a signature in base64".to_owned(),
    })?;
    if signature::any_matches(HmacAlgorithm::Sha256, &keys.bytes(), &[delivery.body], &[found]) {
        Ok(())
    } else {
        Err(Rejection::SignatureMismatch { header: header() })
    }
}

/// Signs as Shopify does.
pub(super) fn sign(keys: &Keys<'_>, body: &[u8]) -> Signed {
    let signature = mac(HmacAlgorithm::Sha256, keys.first(), &[body]);
    Signed::header(HEADER, encoding::to_base64(&signature))
}
