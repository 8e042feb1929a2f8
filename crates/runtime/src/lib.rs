//! Carries out what the engine decides.
//!
//! - [`ports`]: the traits through which storage, queues, time and outside systems enter.

pub mod ports;
