//! A request as it is sent: checked and prepared in one way, whether it is then sent, or answered by a script.
//!
//! - [`Outgoing::first`] refuses what cannot be sent and reads the URL as it will be sent.
//! - [`Outgoing::after`] is the request that follows a redirect.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use jiff::SignedDuration;
use pawl_definition::step::CLIENT_HEADERS;
use url::Url;

use crate::ports::{HttpError, HttpRequest};

/// Most redirects that one call follows.
pub const MAX_REDIRECTS: usize = 5;

/// The only headers that follow a redirect to another origin. Any other may hold a secret.
const TRAVELLING_HEADERS: &[&str] = &["accept", "accept-language", "cache-control", "idempotency-key", "user-agent"];

/// Whether a header, its name in lower case, may go to another origin than that of the request.
pub fn travels(name: &str) -> bool {
    TRAVELLING_HEADERS.contains(&name)
}

/// A request as it is sent to one origin.
#[derive(Clone)]
pub struct Outgoing {
    /// Method.
    pub method: Method,
    /// URL without a fragment, as it is sent.
    pub url: Url,
    /// Headers; their values are marked as sensitive.
    pub headers: HeaderMap,
    /// Body.
    pub body: Option<Bytes>,
}

impl Outgoing {
    /// The first request, checked for what cannot be sent.
    pub fn first(request: HttpRequest) -> Result<Self, HttpError> {
        Ok(Self {
            method: method(&request.method)?,
            url: url(&request.url)?,
            headers: headers(&request.headers)?,
            body: request.body.map(Bytes::from),
        })
    }

    /// The request that follows an answer, or none if the answer is no redirect.
    ///
    /// 303 becomes `GET`, and so do 301 and 302 after a `POST`, as every browser does it; 307 and 308 repeat method and
    /// body (RFC 9110, section 15.4). Another origin gets neither a body nor a header that might hold a secret.
    pub fn after(&self, status: u16, location: Option<&[u8]>) -> Result<Option<Self>, HttpError> {
        let Some(location) = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308)) else {
            return Ok(None);
        };
        let mut next = Self { url: self.target(location)?, ..self.clone() };
        let to_get = match status {
            303 => self.method != Method::HEAD,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if to_get {
            next.method = Method::GET;
            next.body = None;
            next.headers.remove(CONTENT_TYPE);
        }
        if next.url.origin() != self.url.origin() {
            if next.body.is_some() {
                let to = origin(&next.url);
                return Err(self.refused(&format!("it would send the body to another origin, {to}")));
            }
            next.headers = TRAVELLING_HEADERS
                .iter()
                .filter_map(|name| Some((HeaderName::from_static(name), next.headers.remove(*name)?)))
                .collect();
        }
        Ok(Some(next))
    }

    /// The request as the port takes it.
    pub fn request(&self, timeout: SignedDuration) -> HttpRequest {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        HttpRequest {
            method: self.method.to_string(),
            url: self.url.to_string(),
            headers: self.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: self.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()),
            timeout,
        }
    }

    /// The target of a redirect. Servers send blanks and letters of any language in it, which browsers encode.
    fn target(&self, location: &[u8]) -> Result<Url, HttpError> {
        let location: String = match str::from_utf8(location) {
            Ok(text) => text.to_owned(),
            // Of another charset: each byte stands for itself.
            Err(_) => percent_encoding::percent_encode(location, percent_encoding::CONTROLS).to_string(),
        };
        let target = self.url.join(&location).map_err(|_| self.refused("its location is no url"))?;
        if is_http(&target) {
            Ok(without_fragment(target))
        } else {
            Err(self.refused("its location is no http or https url"))
        }
    }

    fn refused(&self, why: &str) -> HttpError {
        HttpError::Refused(format!("a redirect of {} is not followed: {why}", origin(&self.url)))
    }
}

/// The one header whose values are not joined.
pub const SET_COOKIE: &str = "set-cookie";

/// The value of `location` in the headers of an answer.
pub fn location(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(LOCATION).map(HeaderValue::as_bytes)
}

/// `scheme://host:port`: all that a message says of a URL.
pub fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or("");
    match url.port_or_known_default() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

fn method(text: &str) -> Result<Method, HttpError> {
    let invalid = || HttpError::Invalid(format!("expected an http method in capitals, found `{text}`"));
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) || matches!(text, "CONNECT" | "TRACE") {
        return Err(invalid());
    }
    Method::from_bytes(text.as_bytes()).map_err(|_| invalid())
}

/// Reads the URL. Odd spellings of an address (decimal, octal, hexadecimal, full-width) become the plain one here, so
/// the guard and the connection see the same.
fn url(text: &str) -> Result<Url, HttpError> {
    let url = Url::parse(text).map_err(|error| HttpError::Invalid(format!("the url cannot be read: {error}")))?;
    if is_http(&url) {
        Ok(without_fragment(url))
    } else {
        Err(HttpError::Invalid(format!("expected an http or https url, found one of scheme `{}`", url.scheme())))
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

fn headers(given: &BTreeMap<String, String>) -> Result<HeaderMap, HttpError> {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| HttpError::Invalid(format!("`{name}` is not a header name")))?;
        if CLIENT_HEADERS.contains(&key.as_str()) {
            return Err(HttpError::Invalid(format!("the header `{key}` is set by pawl and cannot be given")));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            let found = if value.contains(['\r', '\n']) { "a line break" } else { "one" };
            HttpError::Invalid(format!(
                "expected one line without control characters in the header `{key}`, found {found}"
            ))
        })?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(method: &str, url: &str) -> Result<Outgoing, HttpError> {
        outgoing_with(method, url, &[])
    }

    fn outgoing_with(method: &str, url: &str, headers: &[(&str, &str)]) -> Result<Outgoing, HttpError> {
        Outgoing::first(HttpRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: (method != "GET").then(|| "{}".to_owned()),
            timeout: SignedDuration::from_secs(1),
        })
    }

    fn redirected(from: &Outgoing, status: u16, location: &str) -> Result<Option<Outgoing>, HttpError> {
        from.after(status, Some(location.as_bytes()))
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
            let sent = outgoing_with(method, url, headers);
            assert!(matches!(sent.err(), Some(HttpError::Invalid(_))), "{method} {url} {headers:?}");
        }
    }

    #[test]
    fn a_bad_header_value_is_named_and_not_repeated() {
        for (value, expected) in [
            ("s3cret\nx: y", "expected one line without control characters in the header `x-key`, found a line break"),
            ("s3cret\0", "expected one line without control characters in the header `x-key`, found one"),
        ] {
            let error = outgoing_with("GET", "http://a.example/", &[("x-key", value)]).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn only_redirects_with_a_location_are_followed() {
        let first = outgoing("GET", "http://a.example/").expect("sendable");
        assert!(redirected(&first, 200, "/b").expect("an answer").is_none());
        assert!(redirected(&first, 304, "/b").expect("an answer").is_none());
        assert!(first.after(302, None).expect("an answer").is_none());
        assert!(redirected(&first, 302, "/b").expect("a redirect").is_some());
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
            let first = outgoing(method, "http://a.example/x").expect("sendable");
            let next = redirected(&first, status, "y#z").expect("followed").expect("a redirect");
            assert_eq!((next.method.as_str(), next.body.is_some()), (expected, body), "{method} {status}");
            assert_eq!(next.url.as_str(), "http://a.example/y");
        }
    }

    #[test]
    fn another_origin_gets_harmless_headers_only() {
        let given = [("accept", "*/*"), ("authorization", "a"), ("cookie", "b"), ("x-api-key", "c")];
        let first = outgoing_with("GET", "https://me:pw@a.example/", &given).expect("sendable");
        let names = |location| {
            let next = redirected(&first, 302, location).expect("followed").expect("a redirect");
            let names = next.headers.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            (names, next.url.username().to_owned())
        };
        assert_eq!(names("/y"), ("accept authorization cookie x-api-key".to_owned(), "me".to_owned()));
        assert_eq!(names("https://a.example:443/y").0, "accept authorization cookie x-api-key");
        for other in ["https://b.example/y", "http://a.example/y", "https://a.example:8443/y", "//b.example/y"] {
            assert_eq!(names(other), ("accept".to_owned(), String::new()), "{other}");
        }
    }

    #[test]
    fn a_body_goes_to_no_other_origin() {
        for (method, status) in [("POST", 307), ("POST", 308), ("PUT", 301), ("PATCH", 302), ("DELETE", 307)] {
            let first = outgoing(method, "https://a.example/").expect("sendable");
            for location in ["https://b.example/y", "http://a.example/", "https://a.example:8443/"] {
                let error =
                    redirected(&first, status, location).err().map(|error| error.to_string()).unwrap_or_default();
                assert!(error.contains("it would send the body to another origin, http"), "{method} {status}: {error}");
            }
        }
    }

    #[test]
    fn a_location_is_read_as_browsers_read_it() {
        let first = outgoing("GET", "https://a.example/b").expect("sendable");
        for (location, expected) in [
            ("/café".as_bytes(), "https://a.example/caf%C3%A9"),
            (b"/caf\xe9", "https://a.example/caf%E9"),
            (b"/c d?e f", "https://a.example/c%20d?e%20f"),
            (b"?p=2", "https://a.example/b?p=2"),
            (b"//b.example\\c", "https://b.example/c"),
        ] {
            let next = first.after(302, Some(location)).expect("followed").expect("a redirect");
            assert_eq!(next.url.as_str(), expected);
        }
    }

    #[test]
    fn unusual_targets_are_refused() {
        let first = outgoing("POST", "https://a.example/").expect("sendable");
        for location in ["file:///etc/passwd", "gopher://b.example/", "http://[", "http://a.example/"] {
            let error = redirected(&first, 307, location).err();
            assert!(matches!(error, Some(HttpError::Refused(_))), "{location}");
        }
    }
}
