//! The HTTP surface: management API and webhooks, the same in a Lambda and embedded.
//!
//! - [`router`] makes one axum router from a [`System`](pawl_runtime::System) and [`ApiOptions`]; [`management`] and
//!   [`webhooks`] make the halves of it, for functions of their own.
//! - [`Authorizer`], [`Identity`] and [`Role`]: who may do what.
//! - [`Problem`] and [`Code`]: what is wrong, as RFC 9457; one table of codes, each with a page in `docs/errors`.
//! - [`page`]: the page of a code, as `/docs/errors/<code>` serves it; [`codes`] are all of them.
//! - [`description`] describes it all: `docs/openapi.json`, which [`describe`] generates.
//! - [`webhook`]: what a delivery is verified, decoded and recognised by, without storage.

#![cfg_attr(not(feature = "describe"), expect(unused_imports, reason = "only descriptions name some types of answers"))]

pub mod describe;
pub mod webhook;

mod accepted;
mod access;
mod activities;
mod body;
mod code;
mod definitions;
mod events;
mod executions;
mod hooks;
mod installation;
mod interactions;
mod mail_events;
mod objects;
mod operations;
mod options;
mod page;
mod pages;
mod problem;
mod records;
mod request;
mod role;
mod router;
mod signals;
mod state;
mod surface;
mod workflows;

pub use body::BodyFault;
pub use code::Code;
pub use describe::description;
pub use options::{ApiOptions, Authorizer, HealthCheck, Identity, MetricsText};
pub use pages::{codes, page};
pub use problem::{Mistake, Problem};
pub use role::Role;
pub use router::{management, router, webhooks};
