//! `http_request`: resolves secrets, calls, and keeps secrets out of what comes back.

use jiff::Timestamp;
use pawl_definition::FailureClass;
use pawl_engine::{HttpCall, Performed, StepCode, StepError};
use serde_json::json;

use super::filled::{filled, names};
use super::known::Known;
use super::lease::LeaseGuard;
use super::page::page;
use super::retry_after;
use super::signed::signed;
use crate::Redactor;
use crate::outgoing::SET_COOKIE;
use crate::ports::{Http, HttpAnswer, HttpError};

/// Calls once, with the secrets that it uses, and keeps those of the whole workflow out of what comes back.
pub(super) async fn perform(http: &dyn Http, known: &Known<'_>, call: &HttpCall, lease: LeaseGuard<'_>) -> Performed {
    let used = match known.used(names(call)).await {
        Ok(used) => used,
        Err(error) => return Performed::failed(error),
    };
    let redactor = known.redactor(&used);
    let request = filled(call, &used).and_then(|request| page(request, call, &used));
    let request = request.and_then(|(request, at_home)| match &call.sign {
        Some(signing) if at_home => signed(request, signing, &used, lease.clock.now()),
        _ => Ok(request),
    });
    let request = match request {
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
    let message = format!("the service answered {status}");
    let classed = |class, message| Some(StepError::classed(StepCode::HttpStatus, class, message));
    let error = match status {
        408 | 425 => classed(FailureClass::Timeout, message),
        429 => classed(FailureClass::Throttled, format!("{message}: too many requests")),
        500.. => classed(FailureClass::Server, message),
        400.. => Some(StepError::new(StepCode::HttpStatus, message)),
        _ => None,
    };
    let error = error.map(|error| StepError { retry_after_s, ..error });
    Performed { output, error, ..Performed::default() }
}

fn failure(error: &HttpError, redactor: &Redactor) -> StepError {
    let message = redactor.text(&error.to_string());
    match error {
        HttpError::Refused(_) => StepError::new(StepCode::HttpRefused, message),
        HttpError::Invalid(_) => StepError::new(StepCode::HttpInvalid, message),
        HttpError::TooLarge(_) => StepError::new(StepCode::HttpTooLarge, message),
        HttpError::Undecodable(_) => StepError::new(StepCode::HttpUndecodable, message),
        HttpError::Network(_) => StepError::new(StepCode::HttpNetwork, message),
        HttpError::Timeout(_) => StepError::new(StepCode::HttpTimeout, message),
    }
}
