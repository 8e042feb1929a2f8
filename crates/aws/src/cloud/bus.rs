//! Events: `PutEvents` of `EventBridge`.

use pawl_runtime::ports::{CloudCall, CloudError};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::answer::refused;
use super::service::{Answer, Service, Services};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Puts one event on a bus. One that the bus did not take is an entry of an answer with status 200.
pub(super) async fn publish(
    services: &Services,
    bus: &str,
    (source, detail_type, detail): (&str, &str, &Map<String, Value>),
    call: &CloudCall,
) -> Result<Value, CloudError> {
    let what = format!("publishing on {bus}");
    let entry = json!({
        "EventBusName": bus, "Source": source, "DetailType": detail_type, "Time": call.began_at.as_second(),
        "Detail": Value::Object(detail.clone()).to_string(),
    });
    let body = json!({"Entries": [entry]}).to_string();
    let prepare = |request: &mut reqwest::Request| {
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        headers.insert(TARGET, HeaderValue::from_static("AWSEvents.PutEvents"));
        *request.body_mut() = Some(body.into());
    };
    let answer = services.call((Service::Events, &what), prepare, "/", call.timeout).await?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if !answer.status.is_success() {
        let (code, message) = words(&answer, &said);
        return Err(refused(&what, answer.status, &code, &message));
    }
    let entry = &said["Entries"][0];
    if let Some(code) = entry["ErrorCode"].as_str() {
        let status =
            if code.contains("Internal") { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
        return Err(refused(&what, status, code, entry["ErrorMessage"].as_str().unwrap_or_default()));
    }
    match entry["EventId"].as_str() {
        Some(id) => Ok(json!({"event_id": id})),
        None => Err(CloudError::Server(format!("{what}: the answer names no event"))),
    }
}

/// Code and words of an error in JSON.
pub(super) fn words(answer: &Answer, said: &Value) -> (String, String) {
    let header = answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let code = header.or_else(|| said["__type"].as_str()).or_else(|| said["Code"].as_str()).unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default();
    let message = ["message", "Message"].iter().find_map(|key| said[*key].as_str()).unwrap_or_default();
    (code.to_owned(), message.to_owned())
}
