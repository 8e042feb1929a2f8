//! Language models as a story scripts them.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use pawl_runtime::ports::{ModelAnswer, ModelError, ModelErrorKind, ModelRequest, Models, TokenCounts};
use serde_json::Value;

/// What a model answers.
pub type ModelReply = Result<ModelAnswer, ModelError>;

/// A model says a text; it read 100 tokens and wrote 20.
pub fn says(text: &str) -> ModelReply {
    Ok(said(text))
}

/// The same, to be changed.
pub fn said(text: &str) -> ModelAnswer {
    ModelAnswer {
        text: text.to_owned(),
        finish_reason: Some("stop".to_owned()),
        tokens: TokenCounts { input: Some(100), output: Some(20) },
        ..ModelAnswer::default()
    }
}

/// A model says JSON; it read 100 tokens and wrote 20.
pub fn says_json(value: &Value) -> ModelReply {
    says(&value.to_string())
}

type Script = Box<dyn FnMut(&ModelRequest) -> Option<ModelReply> + Send>;

/// The model port as a script. Without one, no model is configured.
pub struct ScriptedModels {
    script: Mutex<Script>,
    requests: Mutex<Vec<ModelRequest>>,
}

impl ScriptedModels {
    pub(super) fn new() -> Self {
        let nothing: Script = Box::new(|_| None);
        Self { script: Mutex::new(nothing), requests: Mutex::default() }
    }

    /// Replaces the script; a request that it does not know meets no configured model.
    pub fn script(&self, script: impl FnMut(&ModelRequest) -> Option<ModelReply> + Send + 'static) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(script);
    }

    /// What models were asked, oldest first.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Models for ScriptedModels {
    async fn complete(&self, request: ModelRequest) -> Result<ModelAnswer, ModelError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let reply = (self.script.lock().unwrap_or_else(PoisonError::into_inner))(&request);
        reply.unwrap_or_else(|| {
            let message = format!("no model {:?} is configured", request.model);
            Err(ModelError::new(ModelErrorKind::NotConfigured, message))
        })
    }
}
