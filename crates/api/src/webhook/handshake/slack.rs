//! Slack's `url_verification`: a POST of `{"type": "url_verification", "challenge": …}`, signed like every delivery.
//!
//! Source: Slack's developer docs, "`url_verification` event".

use http::Method;
use pawl_definition::json::{self, Bounds};
use serde::Deserialize;

use super::super::Delivery;
use super::{Answer, MAX_CHALLENGE};

#[derive(Deserialize)]
struct UrlVerification {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
}

/// Answers with the challenge. To be called for a verified delivery only.
pub(super) fn answer(delivery: &Delivery<'_>) -> Option<Answer> {
    // A body much longer than the longest challenge is a delivery: it is not parsed twice.
    if delivery.method != Method::POST || delivery.body.len() > 2 * MAX_CHALLENGE {
        return None;
    }
    let asked: UrlVerification = json::read(delivery.body, &Bounds::OUTSIDE).ok()?;
    if asked.kind == "url_verification" { Answer::echo(&asked.challenge) } else { None }
}
