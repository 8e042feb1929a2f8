//! The values of a rule's secrets.

use std::collections::BTreeMap;

use pawl_definition::trigger::Secrets;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::super::Rejection;

/// The values of a rule's secrets, with their names; at least one, none empty.
pub(crate) struct Keys<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Keys<'a> {
    /// Finds the values. An empty value is none: everybody could sign with it.
    pub(crate) fn of(secret: &'a Secrets, values: &'a BTreeMap<String, String>) -> Result<Self, Rejection> {
        let with_value = |name: &'a String| {
            let value = values.get(name)?;
            (!value.is_empty()).then_some((name.as_str(), value.as_str()))
        };
        let keys: Vec<_> = secret.names().iter().filter_map(with_value).collect();
        if keys.is_empty() { Err(Rejection::SecretMissing { names: secret.names().to_vec() }) } else { Ok(Self(keys)) }
    }

    /// Their names and values.
    pub(super) fn named(&self) -> &[(&'a str, &'a str)] {
        &self.0
    }

    /// The value of the first: the one that a sender of today signs with.
    pub(super) fn first(&self) -> &'a [u8] {
        self.0.first().map_or(b"", |(_, value)| value.as_bytes())
    }

    /// Their values as they are written.
    pub(super) fn bytes(&self) -> Vec<&'a [u8]> {
        self.0.iter().map(|(_, value)| value.as_bytes()).collect()
    }

    /// Whether one of them is this text.
    pub(crate) fn contain(&self, found: &[u8]) -> bool {
        self.0.iter().any(|(_, value)| same(value.as_bytes(), found))
    }
}

/// Whether two byte strings are equal, in a time that tells neither where they differ nor how long the expected one is.
pub(crate) fn same(expected: &[u8], found: &[u8]) -> bool {
    Sha256::digest(expected).ct_eq(&Sha256::digest(found)).into()
}
