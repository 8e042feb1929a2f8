//! Language models on any OpenAI-compatible endpoint.
//!
//! A thin client of our own rather than the crate `genai`, because one protocol of one request and one answer
//! is all that is needed here; `genai` adds some forty crates, switches HTTP/2 and decompression on in the HTTP
//! client that everyone shares, and sends its own idea of a strict schema. When a provider without a compatible
//! endpoint is to be called, it becomes a further [`ProviderKind`], by that crate or not.
//!
//! A provider's address is the operator's, so it is not guarded: loopback is as good as any.

mod chat;
mod failure;
mod provider;
mod strict;
mod variables;

use std::time::Duration;

use async_trait::async_trait;
use pawl_runtime::ports::{ModelAnswer, ModelError, ModelRequest, Models};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode};

pub use provider::{ApiKey, Price, Provider, ProviderError, ProviderKind, Providers, StructuredOutput};
pub use variables::ProvidersError;

use crate::transport::{Failure, Transport, TransportConfig, TransportError, read_bounded};
use variables::variable;

/// Most bytes of an answer: far above any model's longest, and a bound all the same.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The model port over the configured providers, one pool of connections for all.
pub struct ModelClient {
    transport: Transport,
    providers: Providers,
}

/// Who is called in one request.
struct Called<'a> {
    name: &'a str,
    provider: &'a Provider,
    /// As the provider names it.
    model: &'a str,
}

impl ModelClient {
    /// Makes the client; with no providers it answers every call with [`ModelError::NotConfigured`].
    pub fn new(providers: Providers) -> Result<Self, TransportError> {
        let user_agent = concat!("pawl/", env!("CARGO_PKG_VERSION")).to_owned();
        Ok(Self { transport: Transport::new(TransportConfig { user_agent, resolver: None })?, providers })
    }

    /// Finds who is meant by `<provider>/<model>`, or by `<provider>` or `<provider>/default` for its default.
    fn called<'a>(&'a self, wanted: &'a str) -> Result<Called<'a>, ModelError> {
        let (name, model) = wanted.split_once('/').unwrap_or((wanted, ""));
        let Some(provider) = self.providers.get(name) else {
            let known: Vec<_> = self.providers.names().collect();
            let known = if known.is_empty() { "none is".to_owned() } else { format!("known: {}", known.join(", ")) };
            return Err(ModelError::NotConfigured(format!(
                "no model provider `{name}` is configured ({known}); expected {}",
                variable(name, "URL")
            )));
        };
        let model = match (model, &provider.default_model) {
            ("" | "default", Some(default)) => default.as_str(),
            ("", None) => {
                return Err(ModelError::NotConfigured(format!(
                    "provider `{name}` has no default model; expected `{name}/<model>` or {}",
                    variable(name, "NAME")
                )));
            }
            (model, _) => model,
        };
        Ok(Called { name, provider, model })
    }

    async fn call(&self, called: &Called<'_>, request: &ModelRequest) -> Result<ModelAnswer, ModelError> {
        let url = &called.provider.endpoint;
        let body = chat::request(called.provider, called.model, request).to_string();
        let response = self.transport.send(Method::POST, url, |builder| {
            let builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body);
            match &called.provider.api_key {
                Some(key) => builder.header(AUTHORIZATION, key.bearer()),
                None => builder,
            }
        });
        let response = response.await?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = read_bounded(response, url, MAX_ANSWER).await?;
        let status = if status == StatusCode::OK { failure::wrapped_status(&body).unwrap_or(status) } else { status };
        if status.is_success() {
            chat::answer(called.provider, called.name, &body)
        } else {
            Err(failure::of_status(called, status, retry_after.as_deref(), &body))
        }
    }
}

#[async_trait]
impl Models for ModelClient {
    async fn complete(&self, request: ModelRequest) -> Result<ModelAnswer, ModelError> {
        // A negative time has run out.
        let limit = Duration::try_from(request.timeout).unwrap_or(Duration::ZERO);
        let called = self.called(&request.model)?;
        match tokio::time::timeout(limit, self.call(&called, &request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::late(&called.provider.endpoint, limit).into()),
        }
    }
}
