//! What an accepted event is answered: by a webhook, and by a start.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use pawl_runtime::{Accepted, Repeat};
use serde::Serialize;

use crate::describe::ToSchema;
use crate::{Code, Problem};

/// Says that an answer is the one to an earlier delivery.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The answer to an accepted event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct AcceptedView<'a> {
    /// The event that the delivery became.
    event_id: &'a str,
    /// The execution that the event starts, if the workflow's filter and limits permit it. Absent for the webhook of a
    /// goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<&'a str>,
    /// Replaces `execution_id` for the webhook of a goal, which starts no execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    executions: Option<Executions>,
    /// True if the event is collected with others: the execution that starts by them has another id, which `GET
    /// /v1/workflows/{id}/refusals` says of the event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    debounced: bool,
}

/// What an accepted event starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starts {
    /// An execution of its own, or none.
    Itself,
    /// One execution together with others.
    WithOthers,
}

/// The executions that an event reaches if it starts none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AcceptedExecutions)]
enum Executions {
    /// Those that wait for the event when it is evaluated, after this answer; there may be none.
    DecidedLater,
}

/// The answer: 202, the same for every repeat; 409 if the key is used for something else.
pub(crate) fn answer(accepted: &Accepted, starts: Starts) -> Result<Response, Problem> {
    if accepted.repeat == Some(Repeat::OtherContent) {
        let detail = "expected the same request as the first with this idempotency-key, found another one";
        return Err(Problem::new(Code::IdempotencyKeyReused, detail));
    }
    let execution_id = accepted.execution_id.as_deref();
    let debounced = starts == Starts::WithOthers && execution_id.is_none();
    let executions = (execution_id.is_none() && !debounced).then_some(Executions::DecidedLater);
    let view = AcceptedView { event_id: &accepted.event_id, execution_id, executions, debounced };
    let mut response = (StatusCode::ACCEPTED, axum::Json(view)).into_response();
    if accepted.repeat.is_some() {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}
