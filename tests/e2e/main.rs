//! The template itself, deployed with the functions' own binaries on an emulator of AWS, and driven from outside as
//! its users drive it: signed webhooks, the management API, a service that is called. `cargo xtask e2e` deploys and runs
//! it; without that there is nothing to drive.
//!
//! - [`installation`]: what a user of the installation does. [`execution`]: what an operator sees of an execution.
//! - [`tracker`]: the outside service. [`stack`]: what lies under the installation: tables, queues, schedules, functions.
//! - [`side_by_side`], [`alone`]: the proofs, in this order. [`afterwards`]: when they have ended, nothing is left over, and
//!   the log holds what it should and nothing else.

mod afterwards;
mod alone;
mod execution;
mod github;
mod installation;
mod processes;
mod side_by_side;
mod stack;
mod tracker;
