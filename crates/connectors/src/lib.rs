//! What is the same on every backend: outside calls, time and chance.
//!
//! - [`GuardedHttp`]: the HTTP port. It reaches public addresses only, except what an [`AllowList`] names;
//!   the rule holds for the URL, for every DNS answer and for every redirect.
//! - [`ModelClient`]: the model port, on any OpenAI-compatible endpoint, configured by [`Providers`].
//! - [`SystemClock`], [`SystemRandom`]: the machine's time and chance; [`LogNotifier`]: notices, in the log.
//!
//! The calls share one transport: pooled HTTP/1.1 connections on `rustls`, no proxies from the environment, no
//! decompression, bounded answers, and errors that name an origin but never a query, a header or a body.

mod http;
mod models;
mod notifier;
mod system;
mod transport;

pub use http::{AllowList, AllowListError, GuardedHttp, HttpConfig, Resolve, SystemResolver};
pub use models::{
    ApiKey, ModelClient, Price, Provider, ProviderError, ProviderKind, Providers, ProvidersError, StructuredOutput,
};
pub use notifier::LogNotifier;
pub use system::{SystemClock, SystemRandom};
pub use transport::TransportError;
