//! Pawl's storage, queues and timers in one process.
//!
//! - [`Store`]: every storage port on one `SQLite` file, with group commit.
//! - [`VariableSecrets`]: secrets from environment variables.
//! - [`SystemClock`], [`SystemRandom`]: the machine's time and chance.

mod clock;
mod secrets;
mod store;
mod workers;

pub use clock::{SystemClock, SystemRandom};
pub use secrets::VariableSecrets;
pub use store::{OpenError, Store};
pub use workers::{WorkerOptions, Workers};
