//! The template itself, deployed with the functions' own binaries on an emulator of AWS, and driven from outside as
//! its users drive it: signed webhooks, the management API, a service that is called. `cargo xtask e2e` deploys and runs
//! it; without that there is nothing to drive.
//!
//! - [`installation`]: what a user of the installation does. [`execution`]: what an operator sees of an execution.
//! - [`tracker`]: the outside service. [`stack`]: what lies under the installation: tables, queues, schedules, functions.
//! - [`proofs`]: the tests. [`afterwards`] runs when they have ended, and finds nothing left over.

mod afterwards;
mod execution;
mod github;
mod installation;
mod processes;
mod proofs;
mod stack;
mod tracker;
