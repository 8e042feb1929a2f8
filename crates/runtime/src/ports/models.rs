//! Language models.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// `<provider>/<model>`.
    pub model: String,
    /// System prompt.
    pub system: Option<String>,
    /// User prompt, then alternating assistant and user messages (a repair adds two).
    pub messages: Vec<String>,
    /// JSON Schema of the answer, if it is to be structured.
    pub schema: Option<Value>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Bound of the answer in tokens.
    pub max_tokens: Option<u32>,
    /// Time until the whole answer must be there.
    pub timeout: SignedDuration,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswer {
    /// The raw text.
    pub text: String,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Price in US dollars, where the provider's configuration knows it.
    pub usd: Option<f64>,
}

/// Why a model did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No provider of this name is configured, or it does not know the model. Final.
    #[error("{0}")]
    NotConfigured(String),
    /// The provider asks to come back later.
    #[error("{0}")]
    Throttled(String),
    /// The provider failed (5xx).
    #[error("{0}")]
    Server(String),
    /// The provider could not be reached.
    #[error("{0}")]
    Network(String),
    /// No answer in time.
    #[error("{0}")]
    Timeout(String),
    /// The provider refused the request (4xx). Final.
    #[error("{0}")]
    Refused(String),
}

/// The model port.
#[async_trait]
pub trait Models: Send + Sync {
    /// Calls once, without retries.
    async fn complete(&self, request: ModelRequest) -> Result<ModelAnswer, ModelError>;
}
