//! Secrets by name.

use async_trait::async_trait;

/// Why a secret could not be read. Never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No secret has this name.
    #[error("no secret is named {0:?}")]
    NotFound(String),
    /// Try again.
    #[error("the secret store is unavailable: {0}")]
    Unavailable(String),
}

/// A secret without the line breaks at its end: what reads secrets from files adds them, and no service means them.
pub fn without_line_end(secret: &str) -> &str {
    secret.trim_end_matches(['\r', '\n'])
}

/// The secret store.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Reads a secret, [without line breaks at its end](without_line_end).
    async fn get(&self, name: &str) -> Result<String, SecretError>;
}
