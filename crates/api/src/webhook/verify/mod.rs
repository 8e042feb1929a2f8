//! Whether a delivery comes from whom its trigger names. One file a kind of `verify`.

mod basic;
mod freshness;
mod github;
mod hmac;
mod keys;
mod shopify;
mod signature;
mod slack;
mod standard_webhooks;
mod stripe;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_definition::trigger::{Secrets, Verify};
use pawl_runtime::signature::{self as signed, encoding, mac};

use super::{Delivery, Rejection, Signed};
use keys::same;

pub use freshness::DEFAULT_TOLERANCE;
pub(super) use keys::Keys;
pub(super) use standard_webhooks::id_header;

/// Verifies a delivery against the rule of its trigger; `secrets` holds the values of [`secret_names`].
///
/// Every secret is tried, so that one can be changed without a gap; those without a value are passed over, and an
/// empty value is none. Comparison takes the same time wherever the difference is. Signatures cover the raw body, never
/// the query.
pub fn verify(
    rule: &Verify,
    secrets: &BTreeMap<String, String>,
    delivery: &Delivery<'_>,
    now: Timestamp,
) -> Result<(), Rejection> {
    let keys = |secret| Keys::of(secret, secrets);
    match rule {
        Verify::None => Ok(()),
        Verify::Token { place, secret } => token::check(place, &keys(secret)?, delivery),
        Verify::Basic { user, secret } => basic::check(user, &keys(secret)?, delivery),
        Verify::Hmac(shape) => hmac::check(shape, &keys(&shape.secret)?, delivery, now),
        Verify::Github { secret } => github::check(&keys(secret)?, delivery),
        Verify::Stripe { secret } => stripe::check(&keys(secret)?, delivery, now),
        Verify::Slack { secret } => slack::check(&keys(secret)?, delivery, now),
        Verify::Shopify { secret } => shopify::check(&keys(secret)?, delivery),
        Verify::StandardWebhooks { secret } => standard_webhooks::check(&keys(secret)?, delivery, now),
    }
}

/// Signs a body as the sender that a rule names does: the counterpart of [`verify`], for trials. The first of the rule's
/// secrets that has a value is the key; `id` names the delivery where a rule signs that too.
pub fn sign(
    rule: &Verify,
    secrets: &BTreeMap<String, String>,
    id: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<Signed, Rejection> {
    let keys = |secret| Keys::of(secret, secrets);
    Ok(match rule {
        Verify::None => Signed::default(),
        Verify::Token { place, secret } => token::sign(place, &keys(secret)?),
        Verify::Basic { user, secret } => basic::sign(user, &keys(secret)?),
        Verify::Hmac(shape) => hmac::sign(shape, &keys(&shape.secret)?, body, now),
        Verify::Github { secret } => github::sign(&keys(secret)?, body),
        Verify::Stripe { secret } => stripe::sign(&keys(secret)?, body, now),
        Verify::Slack { secret } => slack::sign(&keys(secret)?, body, now),
        Verify::Shopify { secret } => shopify::sign(&keys(secret)?, body),
        Verify::StandardWebhooks { secret } => standard_webhooks::sign(&keys(secret)?, id, body, now)?,
    })
}

/// Names the secrets that a rule needs, in the order in which they are tried.
pub fn secret_names(rule: &Verify) -> Vec<&str> {
    let more = match rule {
        Verify::Hmac(shape) => shape.verify_token.as_ref(),
        _ => None,
    };
    secret_of(rule).into_iter().chain(more).flat_map(Secrets::names).map(String::as_str).collect()
}

fn secret_of(rule: &Verify) -> Option<&Secrets> {
    match rule {
        Verify::None => None,
        Verify::Hmac(shape) => Some(&shape.secret),
        Verify::Token { secret, .. }
        | Verify::Basic { secret, .. }
        | Verify::Github { secret }
        | Verify::Stripe { secret }
        | Verify::Slack { secret }
        | Verify::Shopify { secret }
        | Verify::StandardWebhooks { secret } => Some(secret),
    }
}
