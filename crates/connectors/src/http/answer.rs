//! An answer as a workflow sees it.

use std::collections::BTreeMap;

use pawl_runtime::outgoing::{SET_COOKIE, origin};
use pawl_runtime::ports::{HttpAnswer, HttpError};
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::content::{Unreadable, unpacked, value};
use crate::transport::Failure;

/// Puts together status, headers and the complete body, of which at most `limit` bytes come.
pub(super) fn answer(
    url: &Url,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    limit: usize,
) -> Result<HttpAnswer, HttpError> {
    let read = unpacked(headers, body, limit).and_then(|body| match value(headers, &body) {
        // The step fails by its status, and people read what of this is readable.
        Err(_) if is_failure(status) => Ok(Value::String(String::from_utf8_lossy(&body).into_owned())),
        read => read,
    });
    let body = match read {
        Ok(body) => body,
        Err(_) if is_failure(status) => Value::Null,
        Err(Unreadable::TooLarge) => return Err(Failure::too_large(url, limit).into()),
        Err(Unreadable::OutOfBounds(why)) => {
            return Err(HttpError::TooLarge(format!("expected an answer with JSON within bounds, found {why}")));
        }
        Err(Unreadable::Malformed(why)) => {
            let message = format!("{} answered {status}, and its body {why}", origin(url));
            return Err(HttpError::Undecodable(message));
        }
    };
    let cookies = headers.get_all(SET_COOKIE).iter().map(|cookie| text(cookie.as_bytes())).collect();
    Ok(HttpAnswer { status, headers: joined(headers), cookies, body })
}

fn is_failure(status: u16) -> bool {
    status >= 400
}

/// Header names in lower case, the values of a repeated one joined.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != SET_COOKIE) {
        let value = text(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|values| {
                values.push_str(", ");
                values.push_str(&value);
            })
            .or_insert_with(|| value.clone());
    }
    joined
}

/// A header is in UTF-8, else each byte is the character of its number (RFC 9110, section 5.5).
fn text(bytes: &[u8]) -> String {
    str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
    use serde_json::json;

    use super::*;

    fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Result<HttpAnswer, HttpError> {
        let url = Url::parse("https://a.example/b?token=s3cret").expect("the test's url is one");
        answer(&url, status, headers, body, 1_000)
    }

    #[test]
    fn repeated_headers_are_joined_but_cookies_are_not() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-part", "one"),
            ("x-part", "two"),
            ("set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
            ("set-cookie", "b=2"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.append("x-name", HeaderValue::from_bytes(b"Zo\xeb").expect("opaque bytes are allowed"));
        let answer = read(200, &headers, b"").expect("an answer");
        assert_eq!(answer.headers["x-part"], "one, two");
        assert_eq!(answer.headers["x-name"], "Zoë");
        assert_eq!(answer.headers.get("set-cookie"), None);
        assert_eq!(answer.cookies, ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]);
    }

    #[test]
    fn a_success_that_cannot_be_read_is_an_error_and_a_failure_keeps_its_status() {
        let json = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let message = "https://a.example:443 answered 201, and its body is said to be JSON (application/json), found a \
                       fault (expected value) at line 1, column 1";
        assert_eq!(read(201, &json, b"<html>"), Err(HttpError::Undecodable(message.to_owned())));
        let answer = read(503, &json, b"<html>\xff").expect("the status says enough");
        assert_eq!((answer.status, answer.body), (503, json!("<html>\u{fffd}")));
        let packed = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("br"))]);
        assert_eq!(read(429, &packed, b"x").expect("the status says enough").body, json!(null));
        assert!(matches!(read(200, &packed, b"x"), Err(HttpError::Undecodable(_))));
    }
}
