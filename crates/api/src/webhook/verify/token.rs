//! `verify: token`: a shared token in a header or the query.

use pawl_definition::trigger::TokenPlace;

use super::super::{Delivery, Rejection, Signed};
use super::Keys;

/// Checks the token. In `authorization` it may follow `Bearer `.
pub(super) fn check(place: &TokenPlace, keys: &Keys<'_>, delivery: &Delivery<'_>) -> Result<(), Rejection> {
    let (found, named) = match place {
        TokenPlace::Header(name) => (delivery.header_bytes(name), format!("header {}", name.to_ascii_lowercase())),
        TokenPlace::Query(name) => (delivery.parameter(name).map(str::as_bytes), format!("query parameter {name}")),
    };
    let Some(found) = found else { return Err(Rejection::TokenMissing { place: named }) };
    let bare = match place {
        TokenPlace::Header(name) if name.eq_ignore_ascii_case("authorization") => without_bearer(found),
        _ => None,
    };
    if keys.contain(found) || bare.is_some_and(|bare| keys.contain(bare)) {
        Ok(())
    } else {
        Err(Rejection::TokenMismatch { place: named })
    }
}

/// The token after `Bearer `, whose case does not matter (RFC 9110, section 11.1).
fn without_bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii_start())
}

/// Carries the token as a sender does; after `Bearer ` in `authorization`.
pub(super) fn sign(place: &TokenPlace, keys: &Keys<'_>) -> Signed {
    let token = String::from_utf8_lossy(keys.first()).into_owned();
    match place {
        TokenPlace::Header(name) if name.eq_ignore_ascii_case("authorization") => {
            Signed::header(name, format!("Bearer {token}"))
        }
        TokenPlace::Header(name) => Signed::header(name, token),
        TokenPlace::Query(name) => Signed::parameter(name, token),
    }
}
