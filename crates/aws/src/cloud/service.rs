//! Signed requests to services that have no client here.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use bytes::Bytes;
use jiff::SignedDuration;
use pawl_runtime::ports::{Clock, CloudError};
use reqwest::header::HeaderMap;
use reqwest::{Method, Request, StatusCode, Url};

use crate::failure::{never_connected, story};
use crate::http::Connections;
use crate::sdk::{self, CONNECT};
use crate::sigv4::{Scope, sign_request};

/// Most bytes of an answer, as of an HTTP service.
const ANSWER_MOST: usize = 1024 * 1024;

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Events,
    Sns,
    Sqs,
    Lambda,
}

impl Service {
    /// As the SDK calls it, for variables of endpoints.
    fn id(self) -> &'static str {
        match self {
            Self::Events => "EventBridge",
            Self::Sns => "SNS",
            Self::Sqs => "SQS",
            Self::Lambda => "Lambda",
        }
    }

    /// As hosts and signatures call it.
    fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
        }
    }
}

/// A complete answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The services of one region.
pub(super) struct Services {
    connections: Connections,
    credentials: Option<SharedCredentialsProvider>,
    clock: Arc<dyn Clock>,
    sdk: SdkConfig,
    region: String,
}

impl Services {
    pub(super) fn new(sdk: &SdkConfig, clock: Arc<dyn Clock>) -> Result<Self, CloudError> {
        let region = sdk.region().ok_or_else(|| {
            CloudError::NotConfigured("no region of AWS is known: set AWS_REGION, or a profile that has one".to_owned())
        })?;
        let (region, credentials) = (region.to_string(), sdk.credentials_provider());
        Ok(Self { connections: Connections::new((Some(CONNECT), None)), credentials, clock, sdk: sdk.clone(), region })
    }

    /// Where a service is, without a slash at the end.
    pub(super) fn endpoint(&self, service: Service) -> String {
        if let Some(endpoint) = sdk::endpoint(&self.sdk, service.id()) {
            return endpoint.trim_end_matches('/').to_owned();
        }
        let (fips, dual) = (self.sdk.use_fips() == Some(true), self.sdk.use_dual_stack() == Some(true));
        sdk::regional(service.name(), &self.region, fips, dual)
    }

    /// Makes a call once, within a time, and returns the answer of the service with any status.
    pub(super) async fn call(
        &self,
        (service, what): (Service, &str),
        request: impl FnOnce(&mut Request),
        path: &str,
        timeout: SignedDuration,
    ) -> Result<Answer, CloudError> {
        let url = format!("{}{path}", self.endpoint(service));
        let url: Url = url.parse().map_err(|error| CloudError::NotConfigured(format!("{what}: {url}: {error}")))?;
        let mut post = Request::new(Method::POST, url);
        request(&mut post);
        let credentials = self.credentials(what).await?;
        let scope = Scope { region: &self.region, service: service.name() };
        sign_request(&mut post, &credentials, scope, self.clock.now())
            .map_err(|error| CloudError::Invalid(format!("{what}: {error}")))?;
        let limit = timeout.try_into().unwrap_or_default();
        match tokio::time::timeout(limit, self.exchange(post)).await {
            Ok(Ok(answer)) if answer.body.len() > ANSWER_MOST => {
                let message = format!("{what}: the answer is larger than {} KiB", ANSWER_MOST / 1024);
                Err(CloudError::Invalid(message))
            }
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let told = format!("{what}: {}", story(&error));
                // What was not sent is as good as throttled, but nobody asked to wait: the class is that of the network.
                let sent = if never_connected(&error) { " (nothing was sent)" } else { "" };
                Err(CloudError::Network(format!("{told}{sent}")))
            }
            Err(_) => Err(CloudError::Network(format!("{what}: no answer within {timeout:#}"))),
        }
    }

    /// Reads at most one byte more than an answer may have.
    async fn exchange(&self, request: Request) -> reqwest::Result<Answer> {
        let exchange = async {
            let client = self.connections.client(request.url().scheme() == "https")?;
            let mut answer = client.execute(request).await?;
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                body.extend_from_slice(&chunk);
                if body.len() > ANSWER_MOST {
                    break;
                }
            }
            Ok(Answer { status, headers, body: body.into() })
        };
        exchange.await.map_err(reqwest::Error::without_url)
    }

    async fn credentials(&self, what: &str) -> Result<Credentials, CloudError> {
        let unavailable = |story: String| CloudError::Network(format!("{what}: credentials of AWS: {story}"));
        let provider = self.credentials.as_ref().ok_or_else(|| unavailable("there are none".to_owned()))?;
        provider.provide_credentials().await.map_err(|error| unavailable(story(&error)))
    }
}
