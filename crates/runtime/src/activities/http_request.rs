//! `http_request`: resolves secrets, calls, and keeps secrets out of what comes back.

use jiff::Timestamp;
use pawl_definition::FailureClass;
use pawl_engine::{HttpCall, Performed, StepError};
use serde_json::json;

use super::filled::{Used, filled, names};
use super::lease::LeaseGuard;
use super::retry_after;
use crate::Redactor;
use crate::outgoing::SET_COOKIE;
use crate::ports::{Http, HttpAnswer, HttpError, SecretError, Secrets};

/// Calls once.
pub(super) async fn perform(
    http: &dyn Http,
    secrets: &dyn Secrets,
    call: &HttpCall,
    lease: LeaseGuard<'_>,
) -> Performed {
    let used = match read_secrets(secrets, call).await {
        Ok(used) => used,
        Err(error) => return Performed::failed(error),
    };
    let redactor = Redactor::new(used.iter().map(|(name, secret)| (name.as_str(), secret.as_str())));
    let request = match filled(call, &used) {
        Ok(request) => request,
        Err(error) => return Performed::failed(failure(&error, &redactor)),
    };
    if let Err(error) = lease.allows(call.timeout) {
        return Performed::failed(error);
    }
    match http.send(request).await {
        Ok(answer) => judge(&answer, &redactor, lease.clock.now()),
        Err(error) => Performed::failed(failure(&error, &redactor)),
    }
}

async fn read_secrets(secrets: &dyn Secrets, call: &HttpCall) -> Result<Used, StepError> {
    let mut used = Used::new();
    for name in names(call) {
        let secret = secrets.get(&name).await.map_err(|error| no_secret(&error))?;
        used.insert(name, secret);
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

/// 2xx and 3xx are answers; 408, 425, 429 and 5xx may be tried again; other statuses are final.
fn judge(answer: &HttpAnswer, redactor: &Redactor, now: Timestamp) -> Performed {
    let status = answer.status;
    let retry_after_s = answer.headers.get("retry-after").and_then(|value| retry_after::seconds(value, now));
    let mut headers = json!(answer.headers);
    if !answer.cookies.is_empty() {
        headers[SET_COOKIE] = json!(answer.cookies);
    }
    let (headers, body) = (redactor.value(headers), redactor.value(answer.body.clone()));
    let output = json!({"status": status, "headers": headers, "body": body});
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

fn failure(error: &HttpError, redactor: &Redactor) -> StepError {
    let message = redactor.text(&error.to_string());
    match error {
        HttpError::Refused(_) => StepError::new("http_refused", message),
        HttpError::Invalid(_) => StepError::new("http_invalid", message),
        HttpError::TooLarge(_) => StepError::new("http_too_large", message),
        HttpError::Undecodable(_) => StepError::new("http_undecodable", message),
        HttpError::Network(_) => StepError::classed("http_network", FailureClass::Network, message),
        HttpError::Timeout(_) => StepError::classed("http_timeout", FailureClass::Timeout, message),
    }
}
