//! The guarded HTTP port against loopback servers.

mod calls;
mod ends;
mod guard;
mod redirects;
#[path = "../support/mod.rs"]
mod support;
mod vocabulary;
