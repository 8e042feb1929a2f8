//! What every outgoing HTTP exchange shares: clients, time-outs, bounded answers, errors without secrets.

mod body;
mod failure;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, Url};

pub(crate) use body::read_bounded;
pub(crate) use failure::{Failure, Refusal};
pub(crate) use pawl_runtime::outgoing::origin;

/// How long connecting may take, the DNS look-up and the TLS handshake included (the language's limit).
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an unused connection is kept. Shorter than the keep-alive of common servers and load balancers,
/// so that a request is rarely written to a connection that the other side is just closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The HTTP client could not be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the http client cannot be set up: {0}")]
pub struct TransportError(String);

/// How an outgoing client is set up.
pub(crate) struct TransportConfig {
    /// Value of `user-agent`.
    pub(crate) user_agent: String,
    /// Look-up of names; the system's if none.
    pub(crate) resolver: Option<Arc<dyn reqwest::dns::Resolve>>,
}

/// Pooled connections to any number of origins.
///
/// Root certificates come from the platform and are read at the first `https` request only: reading and
/// parsing them takes milliseconds that a process talking to loopback does not owe, and a machine without
/// any still makes `http` calls.
pub(crate) struct Transport {
    config: TransportConfig,
    plain: Client,
    secure: OnceLock<Client>,
}

impl Transport {
    /// Sets up the client for `http`; that for `https` follows when it is needed.
    pub(crate) fn new(config: TransportConfig) -> Result<Self, TransportError> {
        let plain = builder(&config)
            .tls_certs_only([])
            .build()
            .map_err(|error| TransportError(failure::cause(&error.without_url())))?;
        Ok(Self { config, plain, secure: OnceLock::new() })
    }

    /// Sends one request to `url`, as `prepare` completes it, and returns the head of its answer.
    pub(crate) async fn send(
        &self,
        method: reqwest::Method,
        url: &Url,
        prepare: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let client = if url.scheme() == "https" { self.secure(url)? } else { &self.plain };
        prepare(client.request(method, url.clone())).send().await.map_err(|error| Failure::of_sending(error, url))
    }

    fn secure(&self, url: &Url) -> Result<&Client, Failure> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let client = builder(&self.config).build().map_err(|error| Failure::of_setup(error, url))?;
        Ok(self.secure.get_or_init(|| client))
    }
}

fn builder(config: &TransportConfig) -> ClientBuilder {
    let mut headers = HeaderMap::new();
    // Without it a server may compress, and the limit of an answer would no longer bound what it unpacks to.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let builder = Client::builder()
        .user_agent(config.user_agent.as_str())
        .default_headers(headers)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .no_proxy()
        // Another crate of the build may switch these features on.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd();
    match &config.resolver {
        Some(resolver) => builder.dns_resolver(Arc::clone(resolver)),
        None => builder,
    }
}
