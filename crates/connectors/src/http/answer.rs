//! An answer as a workflow sees it.

use std::collections::BTreeMap;

use pawl_runtime::json::{self, Bounds};
use pawl_runtime::ports::{HttpAnswer, HttpError};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// Puts together status, headers and the complete body.
///
/// # Errors
/// JSON beyond the bounds of all values from outside.
pub(super) fn answer(status: u16, headers: &HeaderMap, body: &[u8]) -> Result<HttpAnswer, HttpError> {
    Ok(HttpAnswer { status, headers: joined(headers), body: value(is_json(headers), body)? })
}

/// Header names in lower case, the values of a repeated one joined.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|values| {
                values.push_str(", ");
                values.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    joined
}

/// JSON if it is said to be and parses, null if empty, else text; bytes that are no UTF-8 are replaced.
fn value(is_json: bool, body: &[u8]) -> Result<Value, HttpError> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    if !is_json {
        return Ok(text());
    }
    match json::parse(body, &Bounds::OUTSIDE) {
        Ok(value) => Ok(value),
        Err(error) if error.code().is_some() => {
            Err(HttpError::TooLarge(format!("expected an answer with JSON within bounds, found {error}")))
        }
        Err(_) => Ok(text()),
    }
}

/// `application/json`, `text/json` or any `…+json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_json_only_where_it_says_so_and_parses() {
        for (kind, body, expected) in [
            ("application/json", &b"{\"a\":1}"[..], json!({"a": 1})),
            ("application/problem+json; charset=utf-8", b"[1]", json!([1])),
            ("Application/JSON", b"1", json!(1)),
            ("application/json", b"{broken", json!("{broken")),
            ("application/json", b"", json!(null)),
            ("text/plain", b"{\"a\":1}", json!("{\"a\":1}")),
            ("application/jsonp", b"1", json!("1")),
            ("text/plain", b"caf\xe9", json!("caf\u{fffd}")),
            ("", b"", json!(null)),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(answer(200, &headers, body).map(|answer| answer.body), Ok(expected), "{kind} {body:?}");
        }
    }

    /// Once it was accepted, stored in an envelope, and neither the execution nor a listing could be read again.
    #[test]
    fn json_deeper_than_what_is_stored_can_be_read_is_refused() {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(answer(200, &headers, nested(64).as_bytes()).is_ok());
        let refused = answer(200, &headers, nested(65).as_bytes());
        let Err(HttpError::TooLarge(message)) = refused else { panic!("expected a refusal, found {refused:?}") };
        assert_eq!(
            message,
            "expected an answer with JSON within bounds, found more than 64 levels of nesting at line 1, column 65"
        );
    }

    #[test]
    fn repeated_headers_are_joined() {
        let mut headers = HeaderMap::new();
        headers.append("X-Part", HeaderValue::from_static("one"));
        headers.append("x-part", HeaderValue::from_static("two"));
        let answer = answer(200, &headers, b"").expect("an empty answer is one");
        assert_eq!(answer.headers["x-part"], "one, two");
    }
}
