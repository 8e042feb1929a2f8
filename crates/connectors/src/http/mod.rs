//! HTTP calls that authors write and operators bound.

mod address;
mod allow_list;
mod answer;
mod hop;
mod resolver;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pawl_runtime::ports::{Http, HttpAnswer, HttpError, HttpRequest};
use reqwest::Url;

pub use allow_list::{AllowList, AllowListError};
pub use resolver::{Resolve, SystemResolver};

use crate::transport::{Failure, Transport, TransportConfig, TransportError, origin, read_bounded};
use address::{Place, place};
use allow_list::Listed;
use hop::Hop;
use resolver::GuardedResolver;

/// Most redirects that one call follows.
const MAX_REDIRECTS: usize = 5;

/// Most bytes of an answer (the language's limit).
const MAX_ANSWER: usize = 1024 * 1024;

/// How outside calls are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// What may be reached beside public addresses.
    pub allow: AllowList,
    /// Value of `user-agent` where a call gives none.
    pub user_agent: String,
}

impl Default for HttpConfig {
    /// Public addresses only, as `pawl/<version>`.
    fn default() -> Self {
        Self { allow: AllowList::default(), user_agent: concat!("pawl/", env!("CARGO_PKG_VERSION")).to_owned() }
    }
}

/// The HTTP port over real sockets, one pool of connections for all calls.
///
/// Addresses that are not public are refused unless allow-listed: in the URL, in the answers of DNS, and at
/// each of at most five redirects. A redirect to another origin takes no headers along that might be secret.
pub struct GuardedHttp {
    transport: Transport,
    allow: Arc<AllowList>,
}

impl GuardedHttp {
    /// Makes the client, with the system's look-up of names.
    pub fn new(config: HttpConfig) -> Result<Self, TransportError> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// Makes the client with another look-up of names; its answers are guarded all the same.
    pub fn with_resolver(config: HttpConfig, names: Arc<dyn Resolve>) -> Result<Self, TransportError> {
        let allow = Arc::new(config.allow);
        let resolver = GuardedResolver { names, allow: Arc::clone(&allow) };
        let transport =
            Transport::new(TransportConfig { user_agent: config.user_agent, resolver: Some(Arc::new(resolver)) })?;
        Ok(Self { transport, allow })
    }

    async fn follow(&self, mut hop: Hop) -> Result<HttpAnswer, HttpError> {
        let first = origin(&hop.url);
        for _ in 0..=MAX_REDIRECTS {
            self.check(&hop.url)?;
            let response = self.transport.send(hop.method.clone(), &hop.url, |request| {
                let request = request.headers(hop.headers.clone());
                match hop.body.clone() {
                    Some(body) => request.body(body),
                    None => request,
                }
            });
            let mut response = response.await?;
            if let Some(next) = hop.after(response.status(), response.headers())? {
                hop = next;
                continue;
            }
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            let body = read_bounded(response, &hop.url, MAX_ANSWER).await?;
            return answer::answer(status.as_u16(), &headers, &body);
        }
        Err(HttpError::Refused(format!("{first} redirected more than {MAX_REDIRECTS} times")))
    }

    /// Refuses what can be refused before a look-up; the guarded resolver sees to the rest.
    fn check(&self, url: &Url) -> Result<(), HttpError> {
        let port = url.port_or_known_default().unwrap_or(0);
        let host = url.host_str().unwrap_or("");
        let refused = |why: String| Err(HttpError::Refused(format!("{} is refused: {why}", origin(url))));
        if let Some(address) = literal(host) {
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
        let hop = Hop::first(request)?;
        let url = hop.url.clone();
        match tokio::time::timeout(limit, self.follow(hop)).await {
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
