//! Outside HTTP calls.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A call as the engine resolved it. Strings may hold secret placeholders (see `pawl_engine::secret`), which
/// the runtime replaces before this reaches the port; so a value of this type may hold secrets and is never
/// stored or logged.
#[derive(Clone, PartialEq)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Absolute `http` or `https` URL, query included.
    pub url: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body text, already encoded.
    pub body: Option<String>,
    /// Time until the whole answer must be there.
    pub timeout: SignedDuration,
}

/// A complete answer of any status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case; of a repeated header the values joined by `, `. Without `set-cookie`.
    pub headers: BTreeMap<String, String>,
    /// The values of `set-cookie`, which cannot be joined: a date in one holds a comma.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<String>,
    /// JSON if the answer says so; otherwise text; null if empty.
    pub body: Value,
}

/// Why no answer came. Messages hold no secrets (no query strings, no headers).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address is private, loopback, link-local or metadata, and not allow-listed. Final.
    #[error("{0}")]
    Refused(String),
    /// Connecting, TLS or reading failed; the effect may or may not have happened.
    #[error("{0}")]
    Network(String),
    /// No complete answer in time; the effect may or may not have happened.
    #[error("{0}")]
    Timeout(String),
    /// The answer is larger than 1 MiB. Final.
    #[error("{0}")]
    TooLarge(String),
    /// The request cannot be sent as written (bad URL, method or header). Final.
    #[error("{0}")]
    Invalid(String),
    /// An answer came and its body cannot be read: it is not what its headers say. Final; the effect has happened.
    #[error("{0}")]
    Undecodable(String),
}

/// The HTTP port.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends once, without retries, following at most 5 redirects, each guarded like the first. What is sent is
    /// prepared by [`Outgoing`](crate::outgoing::Outgoing).
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpError>;
}
