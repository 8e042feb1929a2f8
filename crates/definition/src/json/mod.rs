//! The one entrance of JSON from outside: webhooks, requests, answers of services and models, events, texts in
//! expressions.
//!
//! - [`parse`]: a value within [`Bounds`]. [`read`]: a shape of ours within them, an object where an object is expected.
//! - [`check`]: the same bounds on a value that was made inside.
//! - [`Error`]: why a text or value is refused, with its place and a stable code.
//!
//! `scan` bounds a text before anything is built of it, so that memory follows the bounds and not the sender.

mod error;
mod exact;
mod made;
mod scan;

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::{Error, ErrorKind};
pub use made::{bytes, check, depth};

/// Deepest nesting of a value that comes in: half of the 128 levels that the parser of stored items reads, so that the
/// envelopes around a value when it is stored (head, history row, event) stay readable.
pub const MOST_DEPTH: usize = 64;

/// How much a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most bytes of its text.
    pub bytes: usize,
    /// Deepest nesting: `[[1]]` has two levels.
    pub depth: usize,
    /// Most values in it: objects, lists, texts, numbers, booleans and nulls.
    pub values: usize,
    /// Longest key, in bytes.
    pub key_bytes: usize,
}

impl Bounds {
    /// What is taken in from outside. A value takes up to 72 bytes of memory, so these are some 20 MB at most.
    pub const OUTSIDE: Self = Self { bytes: 16 * 1024 * 1024, depth: MOST_DEPTH, values: 250_000, key_bytes: 4 * 1024 };

    /// What steps make: a little deeper, since an answer of the deepest kind is still wrapped into an output, and not more
    /// than what one history row is worth.
    pub const MADE: Self = Self { bytes: 4 * 1024 * 1024, depth: 80, values: 250_000, key_bytes: 16 * 1024 };

    /// The same with another bound on bytes.
    #[must_use]
    pub const fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }
}

/// Reads JSON as a value. Of keys that stand twice the last one counts, as in JavaScript.
///
/// # Errors
/// Text that is not JSON in UTF-8 (half of a surrogate pair is not), that exceeds a bound, or that holds a whole number
/// of more than 64 bits or a number that no double holds.
pub fn parse(text: &[u8], bounds: &Bounds) -> Result<Value, Error> {
    scan::scan(text, bounds)?;
    serde_json::from_slice(text).map_err(|error| Error::malformed(&error))
}

/// Reads JSON as a shape of ours. Unlike serde by itself it takes no list for an object.
///
/// # Errors
/// As [`parse`]; and JSON of another shape.
pub fn read<T: DeserializeOwned>(text: &[u8], bounds: &Bounds) -> Result<T, Error> {
    let value = parse(text, bounds)?;
    T::deserialize(exact::Exact(value)).map_err(|error| Error::misshapen(&error))
}
