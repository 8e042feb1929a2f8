//! An answer as a workflow sees it.

use std::collections::BTreeMap;

use pawl_runtime::ports::HttpAnswer;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// Puts together status, headers and the complete body.
pub(super) fn answer(status: u16, headers: &HeaderMap, body: &[u8]) -> HttpAnswer {
    HttpAnswer { status, headers: joined(headers), body: value(is_json(headers), body) }
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
fn value(is_json: bool, body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    if is_json { serde_json::from_slice(body).unwrap_or_else(|_| text()) } else { text() }
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
            assert_eq!(answer(200, &headers, body).body, expected, "{kind} {body:?}");
        }
    }

    #[test]
    fn repeated_headers_are_joined() {
        let mut headers = HeaderMap::new();
        headers.append("X-Part", HeaderValue::from_static("one"));
        headers.append("x-part", HeaderValue::from_static("two"));
        assert_eq!(answer(200, &headers, b"").headers["x-part"], "one, two");
    }
}
