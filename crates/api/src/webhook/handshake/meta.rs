//! Meta's subscription check (Facebook, Instagram, WhatsApp): a GET whose query has `hub.mode=subscribe`,
//! `hub.challenge` and `hub.verify_token`. `WebSub`'s is the same without the token.
//!
//! Source: Meta for Developers, "Webhooks: getting started", and W3C `WebSub`, section 5.3. The check is not signed, the
//! deliveries after it are. So the token is a secret of its own, `verify_token`: the one that signs must not be written
//! in an address, where every log on the way keeps it.

use std::collections::BTreeMap;

use http::Method;
use pawl_definition::trigger::{Secrets, Verify};

use super::super::verify::Keys;
use super::super::{Delivery, Rejection};
use super::Answer;

const TOKEN: &str = "hub.verify_token";

/// Answers with the challenge, if the delivery was verified or names the right token.
pub(super) fn answer(
    rule: &Verify,
    secrets: &BTreeMap<String, String>,
    delivery: &Delivery<'_>,
    verified: &Result<(), Rejection>,
) -> Result<Option<Answer>, Rejection> {
    let asks = delivery.method == Method::GET && delivery.parameter("hub.mode") == Some("subscribe");
    let Some(challenge) = delivery.parameter("hub.challenge").filter(|_| asks) else { return Ok(None) };
    if verified.is_ok() {
        return Ok(Answer::echo(challenge));
    }
    let Some(found) = delivery.parameter(TOKEN) else { return Ok(None) };
    let mismatch = || Rejection::TokenMismatch { place: format!("query parameter {TOKEN}") };
    let keys = Keys::of(expected(rule).ok_or_else(mismatch)?, secrets)?;
    if keys.contain(found.as_bytes()) { Ok(Answer::echo(challenge)) } else { Err(mismatch()) }
}

/// The secrets that may be written in an address.
fn expected(rule: &Verify) -> Option<&Secrets> {
    match rule {
        Verify::Token { secret, .. } => Some(secret),
        Verify::Hmac(shape) => shape.verify_token.as_ref(),
        _ => None,
    }
}
