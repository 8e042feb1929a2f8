//! What a provider's refusals mean.

use pawl_runtime::json::{self, Bounds};
use pawl_runtime::ports::{ModelError, ModelErrorKind};
use reqwest::StatusCode;

use super::variables::variable;
use super::{Called, words};
use crate::transport::Failure;

/// Sorts an answer that is no success by its status. `retry_after` is the header as it came.
pub(super) fn of_status(
    called: &Called<'_>,
    status: StatusCode,
    retry_after: Option<String>,
    body: &[u8],
) -> ModelError {
    use ModelErrorKind::{NotConfigured, Refused, Server, Throttled, Timeout};
    let name = called.name;
    let said = said(called, body);
    let answered = format!("provider `{name}` answered {}", status.as_u16());
    let (kind, message) = match status.as_u16() {
        // Some providers quote a part of the key here.
        401 => (Refused, format!("{answered}: the key is missing or not accepted; see {}", variable(name, "KEY"))),
        404 => {
            let (endpoint, model) = (called.provider.shown_endpoint(), called.model);
            (NotConfigured, format!("{answered} to {endpoint} for model `{model}`{said}"))
        }
        408 => (Timeout, format!("{answered}{said}")),
        429 if is_out_of_quota(body) => (Refused, format!("{answered}: the account's quota is used up{said}")),
        429 => (Throttled, format!("{answered}{said}")),
        500..=599 => (Server, format!("{answered}{said}")),
        300..=399 => (Refused, format!("{answered}, a redirect, which is not followed; see {}", variable(name, "URL"))),
        _ => (Refused, format!("{answered}{said}")),
    };
    let may_come_back = matches!(kind, Timeout | Throttled | Server);
    ModelError { kind, message, retry_after: retry_after.filter(|_| may_come_back) }
}

/// The status that a gateway reports within an answer of status 200, if it does.
pub(super) fn wrapped_status(body: &[u8]) -> Option<StatusCode> {
    let body = json::parse(body, &Bounds::OUTSIDE).ok()?;
    let error = body.get("error").filter(|error| !error.is_null())?;
    let code = error["code"].as_u64().and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
    Some(code.filter(|code| !code.is_success()).unwrap_or(StatusCode::BAD_GATEWAY))
}

impl From<Failure> for ModelError {
    fn from(failure: Failure) -> Self {
        let (kind, message) = match failure {
            Failure::Network(message) => (ModelErrorKind::Network, message),
            Failure::Timeout(message) => (ModelErrorKind::Timeout, message),
            Failure::TooLarge(message) => (ModelErrorKind::Server, message),
            Failure::Refused(message) | Failure::Invalid(message) => (ModelErrorKind::Refused, message),
        };
        Self::new(kind, message)
    }
}

/// The provider's own words; without the key, should it be quoted.
fn said(called: &Called<'_>, body: &[u8]) -> String {
    let words = words::of(called.redactor.text(&String::from_utf8_lossy(body)).as_bytes());
    if words.is_empty() { words } else { format!(": {words}") }
}

/// Unlike being asked too often, an empty account does not pass by waiting.
fn is_out_of_quota(body: &[u8]) -> bool {
    let Ok(body) = json::parse(body, &Bounds::OUTSIDE) else { return false };
    let error = &body["error"];
    error["code"] == "insufficient_quota" || error["type"] == "insufficient_quota"
}
