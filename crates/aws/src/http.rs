//! HTTP for the clients of all services: the stack that outside calls use as well, so that a function carries one of them
//! and not two.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Request};

/// A connection that was idle for so long is not used again. AWS closes idle connections, after 20 seconds and more, and an
/// environment of Lambda that is frozen between two invocations does not notice: its next request would be sent into a
/// connection that is gone, and fail.
const IDLE_MOST: Duration = Duration::from_secs(15);

/// Longest waits of a connector: for a connection, and for the next part of an answer.
type Waits = (Option<Duration>, Option<Duration>);

/// The client that an SDK configuration takes. Clients that are made from one configuration share their connections.
#[derive(Debug, Default)]
pub(crate) struct SharedConnections {
    connectors: Mutex<BTreeMap<Waits, SharedHttpConnector>>,
}

impl HttpClient for SharedConnections {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let waits = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors.entry(waits).or_insert_with(|| SharedHttpConnector::new(Connections::new(waits))).clone()
    }
}

/// Pooled connections. Root certificates are read at the first request that needs them.
#[derive(Debug)]
pub(crate) struct Connections {
    waits: Waits,
    plain: OnceLock<Client>,
    secure: OnceLock<Client>,
}

impl Connections {
    /// None is made yet.
    pub(crate) const fn new(waits: Waits) -> Self {
        Self { waits, plain: OnceLock::new(), secure: OnceLock::new() }
    }

    /// The client for requests to `https`, or to `http`.
    pub(crate) fn client(&self, is_secure: bool) -> reqwest::Result<&Client> {
        let cell = if is_secure { &self.secure } else { &self.plain };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let builder = if is_secure { self.builder() } else { self.builder().tls_certs_only([]) };
        let client = builder.build()?;
        Ok(cell.get_or_init(|| client))
    }

    fn builder(&self) -> ClientBuilder {
        let (connect, read) = self.waits;
        // Repeats are the SDK's and ours: each is counted.
        let never = reqwest::retry::never().max_retries_per_request(0);
        let builder = Client::builder().redirect(Policy::none()).retry(never).no_proxy();
        let mut builder = builder.pool_idle_timeout(IDLE_MOST);
        if let Some(connect) = connect {
            builder = builder.connect_timeout(connect);
        }
        if let Some(read) = read {
            builder = builder.read_timeout(read);
        }
        builder
    }

    async fn exchange(client: reqwest::Result<Client>, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        // Passed on as a stream: the SDK looks at how it flows, and ends a call whose body seems to be stuck.
        let request = request.try_into_http1x().map_err(wrong)?.map(reqwest::Body::wrap);
        let request = Request::try_from(request).map_err(failure)?;
        let answer = client.map_err(failure)?.execute(request).await.map_err(failure)?;
        let answer = http::Response::<reqwest::Body>::from(answer).map(SdkBody::from_body_1_x);
        // It was carried out, whatever came back.
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

impl HttpConnector for Connections {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client(request.uri().starts_with("https:")).cloned();
        HttpConnectorFuture::new(Self::exchange(client, request))
    }
}

/// What was to be sent is not HTTP.
fn wrong(why: impl Into<BoxError>) -> ConnectorError {
    ConnectorError::user(why.into())
}

/// What an exchange failed with, in the terms by which the SDK decides whether to repeat it.
fn failure(error: reqwest::Error) -> ConnectorError {
    // A presigned URL is as good as a password.
    let error = error.without_url();
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
