//! Why an exchange failed, in words that hold no query, header, body or credential.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::Url;

use super::{CONNECT_TIMEOUT, origin};

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The guard refused the address.
    Refused(String),
    /// Connecting, TLS or reading failed.
    Network(String),
    /// Not there in time.
    Timeout(String),
    /// The answer exceeds its limit.
    TooLarge(String),
    /// The request cannot be sent as written.
    Invalid(String),
}

/// The guard's refusal, as it travels through the client's own errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(crate) String);

impl Failure {
    /// Sorts an error of connecting, of writing the request or of reading the head of the answer.
    pub(crate) fn of_sending(error: reqwest::Error, url: &Url) -> Self {
        let error = error.without_url();
        let origin = origin(url);
        if let Some(refusal) = find::<Refusal>(&error) {
            return Self::Refused(refusal.0.clone());
        }
        if error.is_builder() {
            return Self::Invalid(format!("the request to {origin} cannot be sent: {}", cause(&error)));
        }
        if error.is_connect() && error.is_timeout() {
            return Self::Timeout(format!("connecting to {origin} took longer than {}", seconds(CONNECT_TIMEOUT)));
        }
        if error.is_timeout() {
            return Self::Timeout(format!("{origin} did not answer in time"));
        }
        let doing = if error.is_connect() { "connecting to" } else { "sending the request to" };
        Self::Network(format!("{doing} {origin} failed: {}", cause(&error)))
    }

    /// Sorts an error of reading the body of an answer.
    pub(crate) fn of_reading(error: reqwest::Error, url: &Url) -> Self {
        let (error, origin) = (error.without_url(), origin(url));
        Self::Network(format!("reading the answer of {origin} failed: {}", cause(&error)))
    }

    /// The client for `https` could not be made, most likely for want of root certificates.
    pub(crate) fn of_setup(error: reqwest::Error, url: &Url) -> Self {
        let (error, origin) = (error.without_url(), origin(url));
        Self::Network(format!("tls to {origin} cannot be set up: {}", cause(&error)))
    }

    /// No complete answer within `limit`.
    pub(crate) fn late(url: &Url, limit: Duration) -> Self {
        Self::Timeout(format!("no complete answer from {} within {}", origin(url), seconds(limit)))
    }

    /// The answer is larger than `limit` bytes.
    pub(crate) fn too_large(url: &Url, limit: usize) -> Self {
        Self::TooLarge(format!("the answer of {} is larger than {} KiB", origin(url), limit / 1024))
    }
}

/// The innermost reason, the only part of the chain that tells an operator something.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let innermost = chain(error).last().expect("a chain begins with the error itself");
    match innermost.downcast_ref::<io::Error>() {
        Some(io) if io.raw_os_error().is_some() => io.kind().to_string(),
        _ => innermost.to_string(),
    }
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref::<E>())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
