//! Signatures over a body, as both sides describe them: `verify` of a webhook and `sign` of a request.

use crate::trigger::{Encoding, HmacAlgorithm};

/// How a body is signed by an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HmacScheme<'a> {
    /// Hash.
    pub algorithm: HmacAlgorithm,
    /// How the signature is written.
    pub encoding: Encoding,
    /// The header that holds it.
    pub header: &'a str,
    /// Text before the signature.
    pub prefix: &'a str,
    /// Header that holds the time of sending in seconds; `<time>.<body>` is signed then.
    pub timestamp_header: Option<&'a str>,
}
