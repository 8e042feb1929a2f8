//! Time and chance.

use jiff::Timestamp;

/// The clock.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// A source of unguessable bytes for ids, leases and signed links.
pub trait Random: Send + Sync {
    /// 128 fresh bits.
    fn bits(&self) -> u128;
}
