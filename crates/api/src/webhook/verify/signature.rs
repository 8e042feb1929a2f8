//! Signatures: HMAC over the parts of a message.

use pawl_definition::trigger::HmacAlgorithm;
use pawl_runtime::signature::mac;
use subtle::ConstantTimeEq;

/// Whether one of the keys gives one of the signatures. The message is hashed once a key, however many are sent.
pub(super) fn any_matches<K: AsRef<[u8]>>(
    algorithm: HmacAlgorithm,
    keys: &[K],
    message: &[&[u8]],
    signatures: &[Vec<u8>],
) -> bool {
    keys.iter().any(|key| {
        let expected = mac(algorithm, key.as_ref(), message);
        signatures.iter().any(|found| expected.ct_eq(found).into())
    })
}
