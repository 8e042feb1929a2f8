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
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::Redactor;
use pawl_runtime::ports::{ModelAnswer, ModelError, ModelErrorKind, ModelRequest, ModelSlot, Models};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use tokio::sync::Semaphore;

pub use pawl_runtime::ports::Price;
pub use provider::{ApiKey, Provider, ProviderError, ProviderKind, Providers, StructuredOutput};
pub use variables::ProvidersError;

use crate::transport::{Failure, Transport, TransportConfig, TransportError, read_bounded};
use provider::canonical;
use variables::variable;

/// Most bytes of an answer: far above any model's longest, and a bound all the same.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The model port over the configured providers, one pool of connections for all.
pub struct ModelClient {
    transport: Transport,
    providers: Providers,
    /// By provider.
    guards: BTreeMap<String, Guard>,
}

/// What stands between a provider and its calls.
struct Guard {
    /// As many permits as calls may be out at once.
    slots: Arc<Semaphore>,
    /// Takes the provider's key out of what it sends.
    redactor: Redactor,
}

impl Guard {
    fn of(name: &str, provider: &Provider) -> Self {
        let key = provider.api_key.as_ref();
        let redactor = key.map(|key| key.redactor(&variable(name, "KEY"))).unwrap_or_default();
        Self { slots: Arc::new(Semaphore::new(provider.concurrency)), redactor }
    }
}

/// Who is called in one request.
struct Called<'a> {
    name: &'a str,
    provider: &'a Provider,
    redactor: &'a Redactor,
    /// As the provider names it.
    model: &'a str,
}

impl ModelClient {
    /// Makes the client; with no providers it answers every call with [`ModelError::NotConfigured`].
    pub fn new(providers: Providers) -> Result<Self, TransportError> {
        let user_agent = concat!("pawl/", env!("CARGO_PKG_VERSION")).to_owned();
        let guards = providers.iter().map(|(name, provider)| (name.to_owned(), Guard::of(name, provider))).collect();
        Ok(Self { transport: Transport::new(TransportConfig { user_agent, resolver: None })?, providers, guards })
    }

    /// Finds who is meant by `<provider>/<model>`, or by `<provider>` or `<provider>/default` for its default.
    fn called<'a>(&'a self, wanted: &'a str) -> Result<Called<'a>, ModelError> {
        let (name, model) = wanted.split_once('/').unwrap_or((wanted, ""));
        let unknown = |message| Err(ModelError::new(ModelErrorKind::NotConfigured, message));
        let Some(provider) = self.providers.get(name) else {
            let known: Vec<_> = self.providers.iter().map(|(name, _)| name).collect();
            let known = if known.is_empty() { "none is".to_owned() } else { format!("known: {}", known.join(", ")) };
            return unknown(format!(
                "no model provider `{name}` is configured ({known}); expected {}",
                variable(name, "URL")
            ));
        };
        let model = match (model, &provider.default_model) {
            ("" | "default", Some(default)) => default.as_str(),
            ("", None) => {
                return unknown(format!(
                    "provider `{name}` has no default model; expected `{name}/<model>` or {}",
                    variable(name, "NAME")
                ));
            }
            (model, _) => model,
        };
        let redactor = &self.guards.get(&canonical(name)).expect("each provider has a guard").redactor;
        Ok(Called { name, provider, redactor, model })
    }

    async fn call(&self, called: &Called<'_>, request: &ModelRequest) -> Result<ModelAnswer, ModelError> {
        let url = &called.provider.endpoint;
        let body = chat::request(called.provider, called.model, request);
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
            chat::answer(called, &body)
        } else {
            Err(failure::of_status(called, status, retry_after, &body))
        }
    }
}

#[async_trait]
impl Models for ModelClient {
    async fn slot(&self, model: &str, at_most: SignedDuration) -> Result<ModelSlot, ModelError> {
        let name = canonical(model.split('/').next().unwrap_or_default());
        let Some(guard) = self.guards.get(&name) else { return Ok(ModelSlot::default()) };
        let limit = Duration::try_from(at_most).unwrap_or(Duration::ZERO);
        // Permits are given in the order of asking.
        match tokio::time::timeout(limit, Arc::clone(&guard.slots).acquire_owned()).await {
            Ok(permit) => Ok(ModelSlot::holding(permit.expect("the semaphore is never closed"))),
            Err(_) => Err(ModelError::new(
                ModelErrorKind::Busy,
                format!(
                    "provider `{name}` was busy with other calls for {} s; see {}",
                    limit.as_secs(),
                    variable(&name, "CONCURRENCY")
                ),
            )),
        }
    }

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
