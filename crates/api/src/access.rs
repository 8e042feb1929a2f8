//! Who may come in: loopback, credentials, role. Stands before every management route.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{Extensions, HeaderMap};
use subtle::ConstantTimeEq;

use crate::state::Api;
use crate::{Authorizer, Code, Identity, Problem, Role, role};

/// Lets a request pass, with the [`Identity`] of who sends it in its extensions, or refuses it.
pub(crate) async fn check(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Result<Response, Problem> {
    if api.options.loopback_only {
        at_home(&request)?;
    }
    let identity = identify(&api.options.authorizer, request.headers(), request.extensions())?;
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let least = role::least(request.method(), route);
    if identity.role < Some(least) {
        let found = identity.role.map_or("none", Role::as_str);
        let detail = format!("expected the role {} or above, found {found}", least.as_str());
        return Err(Problem::new(Code::Forbidden, detail));
    }
    request.extensions_mut().insert(identity);
    Ok(next.run(request).await)
}

fn identify(authorizer: &Authorizer, headers: &HeaderMap, extensions: &Extensions) -> Result<Identity, Problem> {
    match authorizer {
        Authorizer::Open => Ok(Identity { name: None, role: Some(Role::Admin) }),
        Authorizer::Token(token) => {
            let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
            // The length of the token is no secret.
            let same = sent.is_some_and(|sent| sent.as_bytes().ct_eq(token.as_bytes()).into());
            let admin = Identity { name: None, role: Some(Role::Admin) };
            if same { Ok(admin) } else { Err(unauthorized(sent.is_some())) }
        }
        Authorizer::Upstream => extensions.get::<Identity>().cloned().ok_or_else(unnamed),
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthorized(was_sent: bool) -> Problem {
    let found = if was_sent { "another one" } else { "none" };
    let detail =
        format!("expected a header `authorization: Bearer <token>` with the token of this server, found {found}");
    Problem::new(Code::Unauthorized, detail).challenging(Some("Bearer"))
}

/// Whoever is in front names nobody.
fn unnamed() -> Problem {
    let detail = "expected a request whose sender the authorizer in front of this server knows, found none";
    Problem::new(Code::Unauthorized, detail)
}

/// Refuses a request that a browser sends under another name than loopback, or for a page of another site.
fn at_home(request: &Request) -> Result<(), Problem> {
    let host = request.headers().get(HOST).map(|value| value.to_str().unwrap_or_default().to_owned());
    let host = host.or_else(|| request.uri().authority().map(ToString::to_string));
    if host.as_deref().is_some_and(|host| !is_loopback(host)) {
        let detail = "expected a request to localhost, 127.0.0.1 or [::1], found another host name";
        return Err(Problem::new(Code::ForeignOrigin, detail));
    }
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    if origin.is_some() && origin == host.as_deref() {
        return Ok(());
    }
    let detail = "expected a request from a page of this server or from no page at all, found another origin";
    Err(Problem::new(Code::ForeignOrigin, detail))
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host();
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_is_known_by_its_names_only() {
        for name in ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "127.9.9.9", "[::1]:8080"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "[::2]", "", "a b"] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
