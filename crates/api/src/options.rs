//! How the API is served.

use std::sync::Arc;
use std::time::Duration;

use crate::Role;

/// How the API is served.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Who may do what.
    pub authorizer: Authorizer,
    /// The server listens on loopback only: management requests under another name (DNS rebinding), or from a page
    /// of another site, are refused. Webhooks are not concerned: a tunnel may lead to them.
    pub loopback_only: bool,
    /// What `GET /v1/health` asks.
    pub health: HealthCheck,
    /// What `GET /metrics` answers.
    pub metrics: MetricsText,
    /// Longest wait for the end of an execution, also if a request asks for more. It is less than the time-out of the
    /// gateway in front.
    pub longest_wait: Duration,
}

impl Default for ApiOptions {
    fn default() -> Self {
        let longest_wait = Duration::from_mins(1);
        let (authorizer, health, metrics) = Default::default();
        Self { authorizer, loopback_only: false, health, metrics, longest_wait }
    }
}

impl ApiOptions {
    /// An embedded server on loopback, open to whoever is on this machine, or to who has the token if there is one.
    pub fn embedded(token: Option<&str>) -> Self {
        let authorizer = token.map_or(Authorizer::Open, |token| Authorizer::Token(token.into()));
        Self { authorizer, loopback_only: true, ..Self::default() }
    }
}

/// Says what keeps the server from its work. The default says that nothing does.
#[derive(Clone, Default)]
pub struct HealthCheck(Option<Arc<dyn Fn() -> Option<String> + Send + Sync>>);

impl HealthCheck {
    /// Asks a function, which answers why the server cannot work, or nothing.
    pub fn new(check: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(check)))
    }

    /// What keeps the server from its work at present.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.as_ref().and_then(|check| check())
    }
}

impl std::fmt::Debug for HealthCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HealthCheck(…)")
    }
}

/// Tells metrics in the text format of `OpenMetrics`. The default has none.
#[derive(Clone, Default)]
pub struct MetricsText(Option<Arc<dyn Fn() -> String + Send + Sync>>);

impl MetricsText {
    /// Asks a function, which answers the whole text.
    pub fn new(text: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(text)))
    }

    /// The text, if this server exports metrics.
    pub(crate) fn text(&self) -> Option<String> {
        self.0.as_ref().map(|text| text())
    }
}

impl std::fmt::Debug for MetricsText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetricsText(…)")
    }
}

/// Who may do what.
#[derive(Clone, Default)]
pub enum Authorizer {
    /// Whoever reaches the server is an admin.
    Open,
    /// Whoever sends `Authorization: Bearer <token>` is an admin.
    Token(Arc<str>),
    /// A gateway in front of the router, such as API Gateway, puts an [`Identity`] into the request's extensions. A
    /// request without one is refused. This is the default, so that a forgotten setting opens nothing.
    #[default]
    Upstream,
}

impl std::fmt::Debug for Authorizer {
    /// Never shows the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Token(_) => "Token(…)",
            Self::Upstream => "Upstream",
        })
    }
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Address or name, if known; it is written into history as the actor.
    pub name: Option<String>,
    /// What they may do; `None` may do nothing: whoever is in front knows them, and knows no role of theirs.
    pub role: Option<Role>,
}
