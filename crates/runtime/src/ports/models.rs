//! Language models.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::Value;

use super::{Price, TokenCounts};

/// One call of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// `<provider>/<model>`.
    pub model: String,
    /// System prompt.
    pub system: Option<String>,
    /// User prompt. The form of the answer, if there is one, stands in it.
    pub prompt: String,
    /// JSON Schema of the answer, if it is to be structured; see [`super::OrderedSchema`] for its order.
    pub schema: Option<Value>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Bound of the answer in tokens.
    pub max_tokens: Option<u32>,
    /// Time until the whole answer must be there, from when it is sent.
    pub timeout: SignedDuration,
}

/// What a model answered: as its provider tells it, the provider's key taken out, and not yet judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelAnswer {
    /// The raw text.
    pub text: String,
    /// In which words the model declined to answer.
    pub refusal: Option<String>,
    /// Why it ended: `stop`, `length`…; some servers do not say.
    pub finish_reason: Option<String>,
    /// The model that answered, by its provider's own name, which may be more exact than the one asked for.
    pub model: Option<String>,
    /// Bytes of thinking that came beside the text: they are paid for, and not kept.
    pub thinking_bytes: usize,
    /// Tokens read and written, as far as the provider says so.
    pub tokens: TokenCounts,
    /// What tokens cost, where the provider's configuration knows it.
    pub price: Option<Price>,
}

/// Why a model did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelErrorKind {
    /// No provider of this name is configured, or it does not know the model. Final.
    NotConfigured,
    /// The provider asks to come back later.
    Throttled,
    /// As many calls of the provider as may be at once are under way. Nothing was sent.
    Busy,
    /// The provider failed (5xx).
    Server,
    /// The provider could not be reached.
    Network,
    /// No answer in time.
    Timeout,
    /// The provider refused the request (4xx). Final.
    Refused,
}

/// A model did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// Why.
    pub kind: ModelErrorKind,
    /// The same in words, the provider's own included; without its key.
    pub message: String,
    /// The header `Retry-After` as it came: seconds, or a date.
    pub retry_after: Option<String>,
}

impl ModelError {
    /// An error without `Retry-After`.
    pub fn new(kind: ModelErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }
}

/// The right to one call of a provider that is called by so many at once only. Dropping it lets the next one call.
#[derive(Default)]
pub struct ModelSlot(Option<Box<dyn Any + Send>>);

impl ModelSlot {
    /// A slot that ends with what it holds.
    pub fn holding(permit: impl Any + Send) -> Self {
        Self(Some(Box::new(permit)))
    }
}

impl fmt::Debug for ModelSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ModelSlot(held)" } else { "ModelSlot(free)" })
    }
}

/// The model port.
#[async_trait]
pub trait Models: Send + Sync {
    /// Waits until the provider of a model may be called once more, in the order of asking; after `at_most` it is
    /// [`ModelErrorKind::Busy`]. A provider that is not known, or has no bound, keeps nobody waiting.
    async fn slot(&self, _model: &str, _at_most: SignedDuration) -> Result<ModelSlot, ModelError> {
        Ok(ModelSlot::default())
    }

    /// Calls once, without retries.
    async fn complete(&self, request: ModelRequest) -> Result<ModelAnswer, ModelError>;
}
