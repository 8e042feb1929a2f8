//! Benchmarks of the deployed installation, on the emulator.

mod capacity;
pub(crate) mod cold;
pub(crate) mod cost;
pub(crate) mod latency;
mod limits;
mod partitions;
mod prices;
mod proxy;
pub(crate) mod scale;
mod shares;
mod stack;
mod w5;
