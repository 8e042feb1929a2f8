//! Signs a request over the bytes that are sent.

use jiff::Timestamp;
use pawl_definition::step::Sign;
use pawl_engine::Signing;

use super::filled::Used;
use crate::ports::{HttpError, HttpRequest};
use crate::signature;

/// The request with the headers that say who sent it. It is the last thing that is done to a request: what stands in its
/// body is what is sent.
///
/// # Errors
/// The secret is no key. An empty one is none: everybody could sign with it.
pub(super) fn signed(
    request: HttpRequest,
    signing: &Signing,
    used: &Used,
    now: Timestamp,
) -> Result<HttpRequest, HttpError> {
    let name = signing.sign.secret();
    let unusable = |what: &str| HttpError::Invalid(format!("the secret {name} {what}, so it cannot sign the request"));
    let secret = used.get(name).filter(|secret| !secret.is_empty()).ok_or_else(|| unusable("is empty"))?;
    let body = request.body.as_deref().unwrap_or_default().as_bytes();
    let added = match &signing.sign {
        Sign::Hmac(shape) => signature::hmac(&shape.scheme(), secret.as_bytes(), body, now),
        Sign::StandardWebhooks { .. } => {
            let key = signature::standard_webhooks_key(secret)
                .ok_or_else(|| unusable("is not `whsec_` and a key in base64"))?;
            signature::standard_webhooks(&key, &signing.id, body, now)
        }
    };
    let headers = request.headers.into_iter().chain(added).collect();
    Ok(HttpRequest { headers, ..request })
}
