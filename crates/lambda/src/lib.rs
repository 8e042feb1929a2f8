//! What every function does alike.
//!
//! - [`start`] reads the environment, starts the log and wires the runtime over the ports that a function may use;
//!   [`Storage`] is what all of them use.
//! - [`Function`] surrounds an invocation: its log lines say which one it is, and its counts follow as metrics.
//! - [`Batch`] handles the messages of a queue, each for itself.
//! - [`Failure`] is what an invocation fails with, under a stable code.

pub mod emf;

mod batch;
mod failure;
mod function;
mod log;
mod start;

pub use batch::{Batch, Delivered, guarded};
pub use failure::{Failure, read};
pub use function::{Function, Invocation};
pub use start::{Started, Storage, start};
