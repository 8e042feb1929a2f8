//! Pawl's storage, queues and timers in one process.
//!
//! - [`Store`]: every storage port on one `SQLite` file, with group commit.
//! - [`VariableSecrets`]: secrets from environment variables.

mod secrets;
mod store;
mod workers;

pub use secrets::VariableSecrets;
pub use store::{BacklogLimits, Condition, OpenError, Store};
pub use workers::{WorkerOptions, Workers};
