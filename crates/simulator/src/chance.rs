//! Chance of a run: everything that a seed decides.

use jiff::SignedDuration;

use pawl_testkit::SeededRandom;

/// A stream of choices. Streams with different labels are independent, so that adding a choice to one of them
/// leaves the others as they are.
pub(super) struct Chance(SeededRandom);

impl Chance {
    /// The stream of a seed under a label.
    pub(super) fn new(seed: u64, label: &str) -> Self {
        Self(SeededRandom::new(seed ^ hash(label)))
    }

    /// Whole 64 bits.
    pub(super) fn bits(&self) -> u64 {
        self.0.next_u64()
    }

    /// A number below a bound, which is 1 or more.
    pub(super) fn below(&self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("a length fits 64 bits");
        usize::try_from(self.0.below(bound)).expect("a number below a length is one")
    }

    /// True once in so many times on average; never if that is 0.
    pub(super) fn one_in(&self, times: u32) -> bool {
        times > 0 && self.0.below(u64::from(times)) == 0
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&self, share: u32) -> bool {
        self.0.below(100) < u64::from(share)
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A span from the first to the second, in milliseconds.
    pub(super) fn millis(&self, least: i64, most: i64) -> SignedDuration {
        let width = u64::try_from(most - least + 1).expect("a range does not end before it begins");
        let more = i64::try_from(self.0.below(width)).expect("a range fits");
        SignedDuration::from_millis(least + more)
    }
}

/// FNV-1a (Fowler, Noll, Vo): small, and the same on every machine.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
