//! Seeded chance.

use std::sync::{Mutex, PoisonError};

use pawl_runtime::ports::Random;

/// Chance that repeats: the same seed yields the same bits in the same order. Guessable, so only for tests.
pub struct SeededRandom {
    state: Mutex<u64>,
}

impl SeededRandom {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed) }
    }

    /// The next 64 bits of the sequence.
    pub fn next_u64(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(GOLDEN_GAMMA);
        mix(*state)
    }

    /// A number below a bound, which is 1 or more. The bias is below one in 2³² for bounds below 2³².
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64() % bound
    }
}

impl Random for SeededRandom {
    fn bits(&self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }
}

/// The odd number nearest to 2⁶⁴ divided by the golden ratio (Steele, Lea, Flood: `SplitMix64`).
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(state: u64) -> u64 {
    let once = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    twice ^ (twice >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_yields_the_same_sequence() {
        let (left, right, other) = (SeededRandom::new(7), SeededRandom::new(7), SeededRandom::new(8));
        assert_eq!(left.bits(), right.bits());
        assert_eq!(left.bits(), right.bits());
        assert_ne!(left.bits(), other.bits());
    }
}
