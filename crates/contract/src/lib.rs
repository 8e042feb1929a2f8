//! One suite of checks per storage port, passed by every backend.
//!
//! A backend's crate implements [`Backend`] for what it brings and calls [`contract!`](crate::contract!) once per
//! suite; each check becomes a test of its own on a fresh backend:
//!
//! ```text
//! pawl_contract::contract!(tables, MyBackend::start().await);
//! pawl_contract::contract!(queue, MyBackend::start().await);
//! ```

mod backend;
mod list;
mod shorthand;

pub mod blobs;
pub mod dead_letters;
pub mod expiry;
pub mod queue;
pub mod secrets;
pub mod tables;
pub mod timers;

pub use backend::Backend;
