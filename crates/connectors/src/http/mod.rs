//! HTTP calls that authors write and operators bound.

mod address;
mod allow_list;
mod answer;
mod content;
mod own;
mod resolver;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pawl_runtime::outgoing::{MAX_REDIRECTS, Outgoing, location, origin};
use pawl_runtime::ports::{Http, HttpAnswer, HttpError, HttpRequest};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, RequestBuilder, Url};

pub use allow_list::{AllowList, AllowListError};
pub use resolver::{Resolve, SystemResolver};

use crate::transport::{Failure, Transport, TransportConfig, TransportError, read_bounded};
use address::{Place, place};
use allow_list::Listed;
use own::Own;
use resolver::GuardedResolver;

/// Most bytes of an answer (the language's limit).
const MAX_ANSWER: usize = 1024 * 1024;

/// How outside calls are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// What may be reached beside public addresses.
    pub allow: AllowList,
    /// Where this process listens itself. No call reaches it, allow-listed or not: a step is no operator.
    pub own: Vec<SocketAddr>,
    /// Value of `user-agent` where a call gives none.
    pub user_agent: String,
}

impl Default for HttpConfig {
    /// Public addresses only, as `pawl/<version>`.
    fn default() -> Self {
        let allow = AllowList::default();
        Self { allow, own: Vec::new(), user_agent: concat!("pawl/", env!("CARGO_PKG_VERSION")).to_owned() }
    }
}

/// The HTTP port over real sockets, one pool of connections for all calls.
///
/// Addresses that are not public are refused unless allow-listed: in the URL, in the answers of DNS, and at
/// each of at most five redirects. A redirect to another origin takes no headers along that might be secret, and no body.
pub struct GuardedHttp {
    transport: Transport,
    /// For ports at which this process listens: names that lead to it are refused there.
    beside_own: Transport,
    allow: Arc<AllowList>,
    own: Own,
}

impl GuardedHttp {
    /// Makes the client, with the system's look-up of names.
    pub fn new(config: HttpConfig) -> Result<Self, TransportError> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// Makes the client with another look-up of names; its answers are guarded all the same.
    pub fn with_resolver(config: HttpConfig, names: Arc<dyn Resolve>) -> Result<Self, TransportError> {
        let (allow, own) = (Arc::new(config.allow), Own::at(config.own));
        let transport = |names, own| {
            let resolver = GuardedResolver { names, allow: Arc::clone(&allow), own };
            let user_agent = config.user_agent.clone();
            Transport::new(TransportConfig { user_agent, resolver: Some(Arc::new(resolver)) })
        };
        let beside_own = transport(Arc::clone(&names), own.clone())?;
        let transport = transport(names, Own::default())?;
        Ok(Self { transport, beside_own, allow, own })
    }

    async fn follow(&self, mut request: Outgoing) -> Result<HttpAnswer, HttpError> {
        let first = origin(&request.url);
        for _ in 0..=MAX_REDIRECTS {
            self.check(&request.url)?;
            let url = request.url.clone();
            let at_own_port = self.own.has_port(url.port_or_known_default());
            let transport = if at_own_port { &self.beside_own } else { &self.transport };
            let mut response =
                transport.send(request.method.clone(), &url, |builder| complete(builder, &request)).await?;
            let status = response.status().as_u16();
            if let Some(next) = request.after(status, location(response.headers()))? {
                request = next;
                continue;
            }
            let headers = std::mem::take(response.headers_mut());
            let body = read_bounded(response, &url, MAX_ANSWER).await?;
            return answer::answer(&url, status, &headers, &body, MAX_ANSWER);
        }
        Err(HttpError::Refused(format!("{first} redirected more than {MAX_REDIRECTS} times")))
    }

    /// Refuses what can be refused before a look-up; the guarded resolver sees to the rest.
    fn check(&self, url: &Url) -> Result<(), HttpError> {
        let port = url.port_or_known_default().unwrap_or(0);
        let host = url.host_str().unwrap_or("");
        let refused = |why: String| Err(HttpError::Refused(format!("{} is refused: {why}", origin(url))));
        if let Some(address) = literal(host) {
            if self.own.is(address, Some(port)) {
                return refused(own::WHY.to_owned());
            }
            return match place(address) {
                Place::Public => Ok(()),
                _ if self.allow.lists_address(address, Some(port)) => Ok(()),
                Place::Internal(words) | Place::Special(words) => {
                    refused(format!("{words} address, which outside calls may not reach unless it is allow-listed"))
                }
            };
        }
        match self.allow.lists_name(host, port) {
            Listed::No | Listed::Yes => Ok(()),
            Listed::OtherPort => refused("the name is allow-listed for other ports only".to_owned()),
        }
    }
}

/// Headers and body. Many servers refuse a request that might have a body and does not say how long it is.
fn complete(builder: RequestBuilder, request: &Outgoing) -> RequestBuilder {
    let builder = builder.headers(request.headers.clone());
    match &request.body {
        Some(body) if !body.is_empty() => builder.body(body.clone()),
        _ if matches!(request.method, Method::POST | Method::PUT | Method::PATCH) => {
            builder.header(CONTENT_LENGTH, "0")
        }
        _ => builder,
    }
}

/// The address that a URL spells, if it spells one.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

#[async_trait]
impl Http for GuardedHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpError> {
        // A negative time has run out.
        let limit = Duration::try_from(request.timeout).unwrap_or(Duration::ZERO);
        let request = Outgoing::first(request)?;
        let url = request.url.clone();
        match tokio::time::timeout(limit, self.follow(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::late(&url, limit).into()),
        }
    }
}

impl From<Failure> for HttpError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(message) => Self::Refused(message),
            Failure::Network(message) => Self::Network(message),
            Failure::Timeout(message) => Self::Timeout(message),
            Failure::TooLarge(message) => Self::TooLarge(message),
            Failure::Invalid(message) => Self::Invalid(message),
        }
    }
}
