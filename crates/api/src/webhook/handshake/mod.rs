//! Answers to systems that ask, before they deliver, whether an address is willing. One file a system.
//!
//! Each asks for a text back. It is sent as `text/plain` and bounded, so that nobody can make this origin serve a page
//! of theirs; the caller adds `X-Content-Type-Options: nosniff`. None is answered unless the delivery was verified, or,
//! for Meta, named a token that only the author and Meta know.

mod graph;
mod meta;
mod slack;

use std::collections::BTreeMap;

use pawl_definition::trigger::Verify;

use super::{Delivery, Rejection};

/// Longest text that is given back, in bytes.
pub const MAX_CHALLENGE: usize = 4 * 1024;

/// The answer to a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}

impl Answer {
    /// Gives a text back, unless it is too long.
    fn echo(text: &str) -> Option<Self> {
        let body = (text.len() <= MAX_CHALLENGE).then(|| text.to_owned())?;
        Some(Self { status: 200, content_type: "text/plain; charset=utf-8", body })
    }
}

/// Answers a handshake; `None` if the delivery is not one.
///
/// `verified` is what `verify` said of the delivery. Handshakes are answered whatever methods the trigger lists, since
/// Meta's is always a GET. Fails with `token_mismatch` if a Meta handshake names another token.
pub fn handshake(
    rule: &Verify,
    secrets: &BTreeMap<String, String>,
    delivery: &Delivery<'_>,
    verified: &Result<(), Rejection>,
) -> Result<Option<Answer>, Rejection> {
    if let Some(answer) = meta::answer(rule, secrets, delivery, verified)? {
        return Ok(Some(answer));
    }
    if verified.is_err() {
        return Ok(None);
    }
    Ok(slack::answer(delivery).or_else(|| graph::answer(delivery)))
}

#[cfg(test)]
mod tests;
