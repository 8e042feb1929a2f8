//! One request of a chain of redirects.

use std::collections::BTreeMap;

use bytes::Bytes;
use pawl_runtime::ports::{HttpError, HttpRequest};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode, Url};

use crate::transport::origin;

/// Headers that frame the message or choose its target. They belong to the client: set by an author they
/// could disagree with what is sent, or address another host than the one that was checked.
const OWN_HEADERS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The only headers that follow a redirect to another origin. Any other may hold a secret.
const TRAVELLING_HEADERS: &[&str] = &[
    "accept",
    "accept-language",
    "cache-control",
    "content-language",
    "content-type",
    "idempotency-key",
    "user-agent",
];

/// A request as it is sent to one origin.
#[derive(Clone)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

impl Hop {
    /// The first request, checked for what cannot be sent.
    pub(super) fn first(request: HttpRequest) -> Result<Self, HttpError> {
        Ok(Self {
            method: method(&request.method)?,
            url: url(&request.url)?,
            headers: headers(&request.headers)?,
            body: request.body.map(Bytes::from),
        })
    }

    /// The request that follows an answer, or none if the answer is no redirect.
    ///
    /// 303 becomes `GET`, and so do 301 and 302 after a `POST`, as every browser does it; 307 and 308 repeat
    /// method and body.
    pub(super) fn after(&self, status: StatusCode, answer: &HeaderMap) -> Result<Option<Self>, HttpError> {
        let Some(location) = answer.get(LOCATION).filter(|_| matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308))
        else {
            return Ok(None);
        };
        let mut next = Self { url: self.target(location)?, ..self.clone() };
        let to_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if to_get {
            next.method = Method::GET;
            next.body = None;
            next.headers.remove(CONTENT_TYPE);
        }
        if next.url.origin() != self.url.origin() {
            next.headers = TRAVELLING_HEADERS
                .iter()
                .filter_map(|name| Some((HeaderName::from_static(name), next.headers.remove(*name)?)))
                .collect();
        }
        if next.body.is_some() && self.url.scheme() == "https" && next.url.scheme() == "http" {
            return Err(self.refused("it would send the body unencrypted"));
        }
        Ok(Some(next))
    }

    fn target(&self, location: &HeaderValue) -> Result<Url, HttpError> {
        let target = location.to_str().ok().and_then(|location| self.url.join(location).ok());
        let target = target.ok_or_else(|| self.refused("its location is no url"))?;
        if is_http(&target) { Ok(target) } else { Err(self.refused("its location is no http or https url")) }
    }

    fn refused(&self, why: &str) -> HttpError {
        HttpError::Refused(format!("a redirect of {} is not followed: {why}", origin(&self.url)))
    }
}

fn method(text: &str) -> Result<Method, HttpError> {
    let invalid = || HttpError::Invalid(format!("expected an http method in capitals, found `{text}`"));
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) || matches!(text, "CONNECT" | "TRACE") {
        return Err(invalid());
    }
    Method::from_bytes(text.as_bytes()).map_err(|_| invalid())
}

/// Reads the URL. Odd spellings of an address (decimal, octal, hexadecimal, full-width) become the plain one
/// here, so the guard and the connection see the same.
fn url(text: &str) -> Result<Url, HttpError> {
    let url = Url::parse(text).map_err(|error| HttpError::Invalid(format!("the url cannot be read: {error}")))?;
    if is_http(&url) {
        Ok(url)
    } else {
        Err(HttpError::Invalid(format!("expected an http or https url, found one of scheme `{}`", url.scheme())))
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

fn headers(given: &BTreeMap<String, String>) -> Result<HeaderMap, HttpError> {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| HttpError::Invalid(format!("`{name}` is not a header name")))?;
        if OWN_HEADERS.contains(&key.as_str()) {
            return Err(HttpError::Invalid(format!("the header `{key}` is set by pawl and cannot be given")));
        }
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| HttpError::Invalid(format!("the value of header `{key}` holds characters http forbids")))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn hop(method: &str, url: &str) -> Result<Hop, HttpError> {
        hop_with(method, url, &[])
    }

    fn hop_with(method: &str, url: &str, headers: &[(&str, &str)]) -> Result<Hop, HttpError> {
        Hop::first(HttpRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: (method != "GET").then(|| "{}".to_owned()),
            timeout: SignedDuration::from_secs(1),
        })
    }

    fn redirected(hop: &Hop, status: u16, location: &str) -> Result<Option<Hop>, HttpError> {
        let location = HeaderValue::from_str(location).expect("the test's location is a header value");
        let status = StatusCode::from_u16(status).expect("the test's status is one");
        hop.after(status, &HeaderMap::from_iter([(LOCATION, location)]))
    }

    #[test]
    fn what_cannot_be_sent_is_invalid() {
        for (method, url, headers) in [
            ("get", "http://a.example/", &[][..]),
            ("CONNECT", "http://a.example/", &[]),
            ("G T", "http://a.example/", &[]),
            ("GET", "ftp://a.example/", &[]),
            ("GET", "file:///etc/passwd", &[]),
            ("GET", "/relative", &[]),
            ("GET", "http://[fe80::1%25eth0]/", &[]),
            ("GET", "http://256.1.1.1/", &[]),
            ("GET", "http://a.example/", &[("host", "b.example")]),
            ("GET", "http://a.example/", &[("Content-Length", "3")]),
            ("GET", "http://a.example/", &[("x y", "1")]),
            ("GET", "http://a.example/", &[("x-note", "two\r\nlines")]),
        ] {
            let sent = hop_with(method, url, headers);
            assert!(matches!(sent.err(), Some(HttpError::Invalid(_))), "{method} {url} {headers:?}");
        }
    }

    #[test]
    fn a_bad_header_value_is_not_repeated() {
        let error = hop_with("GET", "http://a.example/", &[("x-key", "s3cret\n")]).err().expect("a line end is bad");
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn only_redirects_with_a_location_are_followed() {
        let hop = hop("GET", "http://a.example/").expect("sendable");
        assert!(redirected(&hop, 200, "/b").expect("an answer").is_none());
        assert!(redirected(&hop, 304, "/b").expect("an answer").is_none());
        assert!(hop.after(StatusCode::FOUND, &HeaderMap::new()).expect("an answer").is_none());
        assert!(redirected(&hop, 302, "/b").expect("a redirect").is_some());
    }

    #[test]
    fn methods_change_as_the_status_says() {
        for (method, status, expected, body) in [
            ("POST", 301, "GET", false),
            ("POST", 302, "GET", false),
            ("PUT", 302, "PUT", true),
            ("PUT", 303, "GET", false),
            ("HEAD", 303, "HEAD", true),
            ("POST", 307, "POST", true),
            ("POST", 308, "POST", true),
        ] {
            let hop = hop(method, "http://a.example/x").expect("sendable");
            let next = redirected(&hop, status, "y").expect("followed").expect("a redirect");
            assert_eq!((next.method.as_str(), next.body.is_some()), (expected, body), "{method} {status}");
            assert_eq!(next.url.as_str(), "http://a.example/y");
        }
    }

    #[test]
    fn another_origin_gets_harmless_headers_only() {
        let given = [("accept", "*/*"), ("authorization", "a"), ("cookie", "b"), ("x-api-key", "c")];
        let hop = hop_with("GET", "https://a.example/", &given).expect("sendable");
        let names = |location| {
            let next = redirected(&hop, 302, location).expect("followed").expect("a redirect");
            next.headers.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("https://a.example:443/y"), "accept authorization cookie x-api-key");
        assert_eq!(names("https://b.example/y"), "accept");
        assert_eq!(names("http://a.example/y"), "accept");
        assert_eq!(names("https://a.example:8443/y"), "accept");
    }

    #[test]
    fn unusual_targets_are_refused() {
        let hop = hop("POST", "https://a.example/").expect("sendable");
        for location in ["file:///etc/passwd", "gopher://b.example/", "http://[", "http://a.example/"] {
            let error = redirected(&hop, 307, location).err();
            assert!(matches!(error, Some(HttpError::Refused(_))), "{location}");
        }
    }
}
