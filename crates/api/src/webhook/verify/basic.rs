//! `verify: basic`: HTTP basic authentication, RFC 7617.

use super::super::{Delivery, Rejection, Signed};
use super::encoding::{base64, to_base64};
use super::{Keys, same};

/// Checks user name and password; both are compared in any case, so that nobody learns which one was right.
pub(super) fn check(user: &str, keys: &Keys<'_>, delivery: &Delivery<'_>) -> Result<(), Rejection> {
    let (found_user, found_password) = credentials(delivery).ok_or(Rejection::CredentialsMissing)?;
    let right = same(user.as_bytes(), &found_user) & keys.contain(&found_password);
    if right { Ok(()) } else { Err(Rejection::CredentialsMismatch) }
}

fn credentials(delivery: &Delivery<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, encoded) = delivery.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut user = base64(encoded.trim())?;
    let colon = user.iter().position(|byte| *byte == b':')?;
    let password = user.split_off(colon + 1);
    user.truncate(colon);
    Some((user, password))
}

/// Carries user name and password.
pub(super) fn sign(user: &str, keys: &Keys<'_>) -> Signed {
    let credentials = [user.as_bytes(), b":", keys.first()].concat();
    Signed::header("authorization", format!("Basic {}", to_base64(&credentials)))
}
