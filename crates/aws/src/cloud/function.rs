//! Functions: `Invoke` of Lambda.

use jiff::SignedDuration;
use pawl_runtime::ports::CloudError;
use percent_encoding::utf8_percent_encode;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::answer::refused;
use super::bus::words;
use super::service::{Service, Services};
use crate::sigv4::UNRESERVED;

const KIND: HeaderName = HeaderName::from_static("x-amz-invocation-type");

/// Names in the answer how a function failed.
const FAILED: &str = "x-amz-function-error";

/// Most bytes of a function's own words in an error.
const WORDS_MOST: usize = 1_024;

/// Invokes it, and gives what it gave; if nobody waits for that, the id of the request.
pub(super) async fn invoke(
    services: &Services,
    function: &str,
    (input, wait): (&Value, bool),
    timeout: SignedDuration,
) -> Result<Value, CloudError> {
    let what = format!("invoking {function}");
    let path = format!("/2015-03-31/functions/{}/invocations", utf8_percent_encode(function, UNRESERVED));
    let body = input.to_string();
    let prepare = |request: &mut reqwest::Request| {
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(KIND, HeaderValue::from_static(if wait { "RequestResponse" } else { "Event" }));
        *request.body_mut() = Some(body.into());
    };
    let answer = services.call((Service::Lambda, &what), prepare, &path, timeout).await?;
    let said: Result<Value, _> =
        if answer.body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&answer.body) };
    if !answer.status.is_success() {
        let (code, message) = words(&answer, &said.unwrap_or_default());
        return Err(refused(&what, answer.status, &code, &message));
    }
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !header(FAILED).is_empty() {
        let output = said.unwrap_or_default();
        return Err(CloudError::Failed { message: failure(&what, &output), output });
    }
    if !wait {
        return Ok(json!({"request_id": header("x-amzn-requestid")}));
    }
    said.map_err(|_| CloudError::Invalid(format!("{what}: the function ran, and what it gave is no JSON")))
}

/// `invoking f: ValueError: no such price`.
fn failure(what: &str, output: &Value) -> String {
    let text = |key: &str| output[key].as_str().filter(|text| !text.is_empty());
    let parts: Vec<_> = [text("errorType"), text("errorMessage")].into_iter().flatten().collect();
    let why = if parts.is_empty() { "the function failed".to_owned() } else { parts.join(": ") };
    format!("{what}: {}", &why[..why.floor_char_boundary(WORDS_MOST)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_the_type_and_the_words_of_the_function() {
        let output = json!({"errorType": "ValueError", "errorMessage": "no such price", "stackTrace": []});
        assert_eq!(failure("invoking f", &output), "invoking f: ValueError: no such price");
        assert_eq!(failure("invoking f", &json!("odd")), "invoking f: the function failed");
    }
}
