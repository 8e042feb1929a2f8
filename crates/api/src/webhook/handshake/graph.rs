//! Microsoft Graph's validation: a request without body whose query has `validationToken`.
//!
//! Source: Microsoft Learn, "Receive change notifications through webhooks". Graph cannot sign; a subscription is
//! verified by a token in its address (`verify: {token: {in: {query: …}}}`), which this request has too.

use http::Method;

use super::super::Delivery;
use super::Answer;

/// Answers with the token, decoded. To be called for a verified delivery only.
pub(super) fn answer(delivery: &Delivery<'_>) -> Option<Answer> {
    let asks = (delivery.method == Method::POST || delivery.method == Method::GET) && delivery.body.is_empty();
    Answer::echo(delivery.parameter("validationToken").filter(|_| asks)?)
}
