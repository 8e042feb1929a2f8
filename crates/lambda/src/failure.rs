//! Why an invocation failed.

use lambda_runtime::Diagnostic;
use pawl_aws::config::{self, ConfigurationMissing};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why an invocation failed, or why a function did not start. Lambda shows the code as the type of the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// Stable; has a page in `docs/errors`.
    pub code: &'static str,
    /// What was expected and what was found. Holds no payload.
    pub message: String,
}

impl Failure {
    /// One with a code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The payload is not what wakes this function.
    pub fn unexpected_payload(expected: &str, found: &str) -> Self {
        Self::new("unexpected_payload", format!("expected {expected}, found {found}"))
    }

    /// A variable has a value that cannot be used.
    pub fn invalid(variable: &str, why: &dyn std::fmt::Display) -> Self {
        Self::new("configuration_invalid", format!("{variable}: {why}"))
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.code.to_owned(), error_message: failure.message }
    }
}

impl From<pawl_runtime::Error> for Failure {
    fn from(error: pawl_runtime::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<ConfigurationMissing> for Failure {
    fn from(missing: ConfigurationMissing) -> Self {
        let message = missing.to_string();
        Self::new(config::CODE, message.trim_start_matches(config::CODE).trim_start_matches(": "))
    }
}

/// Reads a payload as what it should be.
pub fn read<T: DeserializeOwned>(payload: Value, expected: &str) -> Result<T, Failure> {
    // What serde says of a wrong value may quote it.
    serde_json::from_value(payload).map_err(|_| Failure::unexpected_payload(expected, "a part of another shape"))
}
