//! Signals: sent to the execution that waits for them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pawl_definition::step::{SIGNAL_KEY_MOST, is_signal_key, is_signal_name};
use pawl_runtime::{NewSignal, SendError, Sent, SignalState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::problem::Sent as Told;
use crate::request::{self, Route};
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// Says that an answer is the one to an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface.on::<__path_send, _, _>(send)
}

/// A signal to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sending {
    /// Whose signal: the key of the step that waits, 1 to 512 bytes.
    key: String,
    /// The output of the step that receives the signal; at most 64 KiB.
    #[serde(default)]
    #[schema(value_type = Object)]
    payload: Value,
}

/// A signal that was accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Signal)]
struct SignalView {
    /// Id of the signal.
    signal_id: String,
    /// `received`, or `kept`: no execution waits for it, and it is kept for 72 hours.
    status: &'static str,
    /// The execution that received the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<String>,
}

/// Sends a signal. The execution that has waited longest for the name and key receives it; if none waits, the signal is kept
/// for 72 hours, first in first out, up to 1,000 of a key. With an `Idempotency-Key`, a repeat sends nothing and is told
/// what has become of the signal.
#[operation(
    post, path = "/v1/signals/{name}", tag = "signals", operation_id = "send_signal",
    params(
        ("name" = String, Path, description = "Name of the signal"),
        ("idempotency-key" = Option<String>, Header, description = "Identifies the request; a repeat sends nothing")
    ),
    request_body(content = Sending),
    responses(
        (status = 202, description = "Accepted, durably", body = SignalView,
            headers(("idempotent-replayed", description = "`true` if the signal was accepted before"))),
        (status = 409, body = Told), (status = 413, body = Told), (status = 422, body = Told), (status = 429, body = Told)
    )
)]
async fn send(
    State(api): State<Arc<Api>>,
    Route(name): Route<String>,
    headers: HeaderMap,
    Json(body): Json<Sending>,
) -> Result<Response, Problem> {
    let idempotency_key = request::idempotency_key(&headers)?;
    let Sending { key, payload } = body;
    check(&name, &key)?;
    api.core.ingest.room()?;
    let signals = &api.core.signals;
    let id = signals.id(&name, idempotency_key.as_deref());
    let sent_at = api.core.ingest.now();
    answer(signals.send(&NewSignal { id, name, key, payload, sent_at }).await?)
}

fn check(name: &str, key: &str) -> Result<(), Problem> {
    if !is_signal_name(name) {
        let detail = "expected a name of letters, digits, `_`, `-` and `.`, at most 64, found another one";
        return Err(Problem::new(Code::InvalidSignal, detail));
    }
    if !is_signal_key(key) {
        let detail = format!("expected a key of 1 to {SIGNAL_KEY_MOST} bytes, found {}", key.len());
        return Err(Problem::new(Code::InvalidSignal, detail).at("key"));
    }
    Ok(())
}

fn answer(sent: Sent) -> Result<Response, Problem> {
    let (status, execution_id) = match sent.state {
        SignalState::Kept => ("kept", None),
        SignalState::Received { execution } => ("received", Some(execution)),
        SignalState::Refused { execution, why } => {
            let detail = format!("execution {execution}, which waits for the signal {}, refuses it: {why}", sent.id);
            return Err(Problem::new(Code::SignalRefused, detail).at("payload"));
        }
    };
    let view = SignalView { signal_id: sent.id, status, execution_id };
    let mut response = (StatusCode::ACCEPTED, axum::Json(view)).into_response();
    if sent.is_repeat {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        let detail = error.to_string();
        match error {
            SendError::TooMany(..) => Self::new(Code::TooManySignals, detail),
            SendError::TooLarge(_) => Self::new(Code::SignalTooLarge, detail).at("payload"),
            SendError::OtherContent => {
                let detail = "expected the same request as the first with this idempotency-key, found another one";
                Self::new(Code::IdempotencyKeyReused, detail)
            }
            SendError::Failed(error) => error.into(),
        }
    }
}
