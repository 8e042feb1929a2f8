//! Pawl's storage, queues and timers in one process.
//!
//! - [`Store`]: every storage port on one `SQLite` file, with group commit.
//! - [`VariableSecrets`]: secrets from environment variables; [`secret_variable`] names the one of a secret.

mod in_hand;
mod secrets;
mod store;
mod workers;

pub use secrets::{VariableSecrets, secret_variable};
pub use store::{BacklogLimits, Condition, OpenError, Store};
pub use workers::{WorkerOptions, Workers};
