//! What tests of Pawl stand on.
//!
//! - [`memory`]: every storage port in memory, deterministic, on virtual time.
//! - [`contract`]: one suite of checks per port, passed by every backend.
//! - [`cases`]: the runner of `*.cases.yaml`.
//! - [`scenario`]: stories on the real runtime, with virtual time and scripted outside systems.
//! - [`simulator`]: whole runs with everything going wrong that can, in an order that a seed chooses.
//! - [`payloads`]: what wakes functions, as AWS sends it.
//! - [`VirtualClock`], [`SeededRandom`]: time and chance that repeat.

pub mod cases;
pub mod contract;
pub mod memory;
pub mod scenario;
pub mod simulator;

mod bell;
mod clock;
mod payloads;
mod random;

pub use clock::VirtualClock;
pub use payloads::payloads;
pub use random::SeededRandom;
