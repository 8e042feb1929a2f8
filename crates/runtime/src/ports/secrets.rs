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

/// The secret store.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Reads a secret.
    async fn get(&self, name: &str) -> Result<String, SecretError>;
}
