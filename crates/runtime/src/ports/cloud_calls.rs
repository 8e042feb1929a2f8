//! Services of the cloud that steps call: an event bus, queues and topics, functions.

use async_trait::async_trait;
pub use pawl_engine::{CloudCall, CloudRequest, MessageTarget};
use serde_json::Value;

/// What a service of the cloud answered.
#[derive(Debug, Clone, PartialEq)]
pub enum CloudAnswer {
    /// The output of the step.
    Output(Value),
    /// There is no bus outside: the installation takes the event in itself.
    NoBus,
}

/// Why a service of the cloud did not do what it was asked. Messages hold no input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CloudError {
    /// This installation calls no services of the cloud. Final.
    #[error("{0}")]
    NotConfigured(String),
    /// The service asks to come back later; nothing was done.
    #[error("{0}")]
    Throttled(String),
    /// The service could not be reached, or did not answer in time; it may have been done.
    #[error("{0}")]
    Network(String),
    /// The service failed (5xx); it may have been done.
    #[error("{0}")]
    Server(String),
    /// There is no such bus, queue, topic or function. Final.
    #[error("{0}")]
    NotFound(String),
    /// The installation may not. Final.
    #[error("{0}")]
    Denied(String),
    /// The request cannot be carried out as written, or its answer cannot be read. Final.
    #[error("{0}")]
    Invalid(String),
    /// The function ran and failed. Final.
    #[error("{message}")]
    Failed {
        /// Its error, in words.
        message: String,
        /// What it gave.
        output: Value,
    },
}

/// The port of services of the cloud.
#[async_trait]
pub trait CloudCalls: Send + Sync {
    /// Makes a call once, without retries.
    async fn call(&self, call: &CloudCall) -> Result<CloudAnswer, CloudError>;
}

/// The port of an installation without services of the cloud. It takes events in itself, and refuses all else.
pub struct NoCloud {
    /// What to do about it, in words.
    pub hint: &'static str,
}

#[async_trait]
impl CloudCalls for NoCloud {
    async fn call(&self, call: &CloudCall) -> Result<CloudAnswer, CloudError> {
        match call.request {
            CloudRequest::PublishEvent { .. } => Ok(CloudAnswer::NoBus),
            CloudRequest::SendMessage { .. } | CloudRequest::InvokeFunction { .. } => {
                let message = format!("this installation calls no services of AWS: {}", self.hint);
                Err(CloudError::NotConfigured(message))
            }
        }
    }
}
