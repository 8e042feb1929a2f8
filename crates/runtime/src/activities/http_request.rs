//! `http_request`: resolves secrets, calls, and keeps secrets out of what comes back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_definition::FailureClass;
use pawl_definition::expression::placeholders;
use pawl_engine::{HttpCall, Performed, StepError};
use serde_json::{Value, json};

use super::lease::Held;
use crate::ports::{Http, HttpAnswer, HttpError, HttpRequest, SecretError, Secrets};

/// Secrets that a call used, by name.
type Used = BTreeMap<String, String>;

/// Calls once.
pub(super) async fn perform(http: &dyn Http, secrets: &dyn Secrets, call: &HttpCall, held: Held<'_>) -> Performed {
    let used = match read_secrets(secrets, call).await {
        Ok(used) => used,
        Err(error) => return Performed::failed(error),
    };
    let request = HttpRequest {
        method: call.method.clone(),
        url: fill(&call.url, &used),
        headers: call.headers.iter().map(|(name, value)| (name.clone(), fill(value, &used))).collect(),
        body: call.body.as_ref().map(|body| fill(body, &used)),
        timeout: call.timeout,
    };
    if let Err(error) = held.allows(call.timeout) {
        return Performed::failed(error);
    }
    match http.send(request).await {
        Ok(answer) => judge(&answer, &used, held.clock.now()),
        Err(error) => Performed::failed(failure(&error, &used)),
    }
}

async fn read_secrets(secrets: &dyn Secrets, call: &HttpCall) -> Result<Used, StepError> {
    let texts = call.headers.values().chain([&call.url]).chain(&call.body);
    let names: BTreeSet<&str> = texts.flat_map(|text| placeholders(text).map(|(_, name)| name)).collect();
    let mut used = Used::new();
    for name in names {
        let secret = secrets.get(name).await.map_err(|error| no_secret(&error))?;
        used.insert(name.to_owned(), secret);
    }
    Ok(used)
}

/// A store that cannot be reached is asked again; nothing was sent, so that is safe for every delivery.
fn no_secret(error: &SecretError) -> StepError {
    let code = "secret_unavailable";
    match error {
        SecretError::NotFound(_) => StepError::new(code, error.to_string()),
        SecretError::Unavailable(_) => StepError::classed(code, FailureClass::Throttled, error.to_string()),
    }
}

/// Puts secrets in the place of their placeholders.
fn fill(text: &str, used: &Used) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut end = 0;
    for (range, name) in placeholders(text) {
        filled.push_str(&text[end..range.start]);
        filled.push_str(used.get(name).map_or("", String::as_str));
        end = range.end;
    }
    filled.push_str(&text[end..]);
    filled
}

/// Takes secrets out of a text that came back.
fn scrub(text: &str, used: &Used) -> String {
    let mut scrubbed = text.to_owned();
    for (name, secret) in used.iter().filter(|(_, secret)| !secret.is_empty()) {
        scrubbed = scrubbed.replace(secret.as_str(), &format!("[secret:{name}]"));
    }
    scrubbed
}

fn scrub_value(value: Value, used: &Used) -> Value {
    match value {
        Value::String(text) => scrub(&text, used).into(),
        Value::Array(items) => items.into_iter().map(|item| scrub_value(item, used)).collect(),
        Value::Object(keys) => {
            keys.into_iter().map(|(key, value)| (scrub(&key, used), scrub_value(value, used))).collect()
        }
        other => other,
    }
}

/// 2xx and 3xx are answers; 408, 425, 429 and 5xx may be tried again; other statuses are final.
fn judge(answer: &HttpAnswer, used: &Used, now: Timestamp) -> Performed {
    let status = answer.status;
    let retry_after_s = answer.headers.get("retry-after").and_then(|value| seconds_of(value.trim(), now));
    let output = json!({"status": status, "headers": answer.headers, "body": answer.body});
    let output = if used.is_empty() { output } else { scrub_value(output, used) };
    let error = match status {
        408 | 425 => {
            Some(StepError::classed("http_status", FailureClass::Timeout, format!("the service answered {status}")))
        }
        429 => Some(StepError::classed(
            "http_status",
            FailureClass::Throttled,
            "the service answered 429: too many requests",
        )),
        500.. => {
            Some(StepError::classed("http_status", FailureClass::Server, format!("the service answered {status}")))
        }
        400.. => Some(StepError::new("http_status", format!("the service answered {status}"))),
        _ => None,
    };
    let error = error.map(|error| StepError { retry_after_s, ..error });
    Performed { output, error, ..Performed::default() }
}

/// `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3).
fn seconds_of(retry_after: &str, now: Timestamp) -> Option<u64> {
    retry_after.parse().ok().or_else(|| {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(retry_after).ok()?;
        u64::try_from(at.duration_since(now).as_secs()).ok()
    })
}

fn failure(error: &HttpError, used: &Used) -> StepError {
    let message = scrub(&error.to_string(), used);
    match error {
        HttpError::Refused(_) => StepError::new("http_refused", message),
        HttpError::Invalid(_) => StepError::new("http_invalid", message),
        HttpError::TooLarge(_) => StepError::new("http_too_large", message),
        HttpError::Network(_) => StepError::classed("http_network", FailureClass::Network, message),
        HttpError::Timeout(_) => StepError::classed("http_timeout", FailureClass::Timeout, message),
    }
}
