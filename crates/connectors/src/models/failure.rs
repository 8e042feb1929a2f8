//! What a provider's refusals mean.

use pawl_runtime::ports::ModelError;
use reqwest::StatusCode;
use serde_json::Value;

use super::Called;
use super::chat::shortened;
use super::variables::variable;
use crate::transport::Failure;

/// Sorts an answer that is no success by its status.
pub(super) fn of_status(called: &Called<'_>, status: StatusCode, retry_after: Option<&str>, body: &[u8]) -> ModelError {
    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
    let name = called.name;
    let said = said(called, &body);
    let answered = format!("provider `{name}` answered {}", status.as_u16());
    match status.as_u16() {
        401 => ModelError::Refused(format!(
            "{answered}: the key is missing or not accepted; see {}",
            variable(name, "KEY")
        )),
        404 => ModelError::NotConfigured(format!(
            "{answered} to {} for model `{}`{said}",
            called.provider.shown_endpoint(),
            called.model
        )),
        408 => ModelError::Timeout(format!("{answered}{said}")),
        429 if is_out_of_quota(&body) => {
            ModelError::Refused(format!("{answered}: the account's quota is used up{said}"))
        }
        429 => match retry_after.and_then(|seconds| seconds.parse::<u32>().ok()) {
            Some(seconds) => ModelError::Throttled(format!("{answered}, to come back after {seconds} s{said}")),
            None => ModelError::Throttled(format!("{answered}{said}")),
        },
        500..=599 => ModelError::Server(format!("{answered}{said}")),
        300..=399 => {
            ModelError::Refused(format!("{answered}, a redirect, which is not followed; see {}", variable(name, "URL")))
        }
        _ => ModelError::Refused(format!("{answered}{said}")),
    }
}

/// The status that a gateway reports within an answer of status 200, if it does.
pub(super) fn wrapped_status(body: &[u8]) -> Option<StatusCode> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error").filter(|error| !error.is_null())?;
    let code = error["code"].as_u64().and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
    Some(code.filter(|code| !code.is_success()).unwrap_or(StatusCode::BAD_GATEWAY))
}

impl From<Failure> for ModelError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Network(message) => Self::Network(message),
            Failure::Timeout(message) => Self::Timeout(message),
            Failure::TooLarge(message) => Self::Server(message),
            Failure::Refused(message) | Failure::Invalid(message) => Self::Refused(message),
        }
    }
}

/// The provider's own words, in whichever of the usual places they are; without the key, should it be quoted.
fn said(called: &Called<'_>, body: &Value) -> String {
    let places = [&body["error"]["message"], &body["error"], &body["message"], &body["detail"]];
    match places.into_iter().find_map(Value::as_str) {
        Some(words) => {
            let words = called.provider.api_key.as_ref().map_or(words.to_owned(), |key| key.redacted_from(words));
            format!(": {}", shortened(&words))
        }
        None => String::new(),
    }
}

/// Unlike being asked too often, an empty account does not pass by waiting.
fn is_out_of_quota(body: &Value) -> bool {
    let error = &body["error"];
    error["code"] == "insufficient_quota" || error["type"] == "insufficient_quota"
}
