//! What tests of Pawl stand on.
//!
//! - [`memory`]: every storage port in memory, deterministic, on virtual time.
//! - [`cases`]: the runner of `*.cases.yaml`.
//! - [`scenario`]: stories on the real runtime, with virtual time and scripted outside systems.
//! - [`payloads`]: what wakes functions, as AWS sends it.
//! - [`VirtualClock`], [`SeededRandom`]: time and chance that repeat.

pub mod cases;
pub mod memory;
pub mod scenario;

mod bell;
mod clock;
mod payloads;
mod random;

pub use clock::VirtualClock;
pub use payloads::payloads;
pub use random::SeededRandom;
