//! Signatures: HMAC over the parts of a message.

use hmac::{Hmac, KeyInit, Mac};
use pawl_definition::trigger::HmacAlgorithm;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

/// Whether one of the keys gives one of the signatures. The message is hashed once a key, however many are sent.
pub(super) fn any_matches<K: AsRef<[u8]>>(
    algorithm: HmacAlgorithm,
    keys: &[K],
    message: &[&[u8]],
    signatures: &[Vec<u8>],
) -> bool {
    keys.iter().any(|key| {
        let expected = sign(algorithm, key.as_ref(), message);
        signatures.iter().any(|found| expected.ct_eq(found).into())
    })
}

/// Signs a message given in parts.
pub(super) fn sign(algorithm: HmacAlgorithm, key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    match algorithm {
        HmacAlgorithm::Sha1 => mac::<Hmac<Sha1>>(key, message),
        HmacAlgorithm::Sha256 => mac::<Hmac<Sha256>>(key, message),
        HmacAlgorithm::Sha512 => mac::<Hmac<Sha512>>(key, message),
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes a key of any length");
    for part in message {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
