//! Benchmarks of the deployed installation, on the emulator.

mod capacity;
pub(crate) mod cold;
pub(crate) mod cost;
pub(crate) mod latency;
mod prices;
mod proxy;
mod stack;
mod w5;
