//! What an accepted event is answered: by a webhook, and by a start.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use pawl_runtime::Accepted;
use serde::Serialize;
use utoipa::ToSchema;

/// Says that an answer is the one to an earlier delivery.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What an accepted event is answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct AcceptedView<'a> {
    /// The event that it became.
    event_id: &'a str,
    /// The execution that it starts, if the workflow's filter and limits let it pass.
    execution_id: Option<&'a str>,
}

/// The answer: 202, the same for every repeat.
pub(crate) fn answer(accepted: &Accepted) -> Response {
    let view = AcceptedView { event_id: &accepted.event_id, execution_id: accepted.execution_id.as_deref() };
    let mut response = (StatusCode::ACCEPTED, axum::Json(view)).into_response();
    if accepted.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
