//! Benchmarks of the deployed installation, on the emulator.

mod capacity;
pub(crate) mod cold;
pub(crate) mod cost;
mod gate;
pub(crate) mod latency;
mod limits;
pub(crate) mod load;
mod margins;
mod partitions;
mod prices;
mod proxy;
pub(crate) mod scale;
mod shares;
mod stack;
mod used;
mod w5;
