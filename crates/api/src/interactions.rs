//! Page views and other interactions, as a site or an app posts them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use pawl_runtime::{InteractionError, NewInteraction, WhoseInteraction};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::accepted::{self, AcceptedView, Starts};
use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::problem::Sent;
use crate::request;
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface.on::<__path_post, _, _>(post)
}

/// An interaction of a person whom a record stands for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInteraction)]
struct Posted {
    /// Id, which tells a repeat; absent: the `Idempotency-Key`, else a fresh one.
    id: Option<String>,
    /// What the person did: `page_view`, or a name of your own, at most 128 bytes.
    kind: String,
    /// Address of the page, whole or from the path on; at most 8 KiB.
    url: Option<String>,
    /// Record type of the person, such as `contact`.
    object: String,
    /// Id of the record; either this or `match`.
    record: Option<String>,
    /// One unique or indexed field and the value that the record has there, such as `{"email": "ada@example.com"}`.
    #[serde(rename = "match")]
    #[schema(value_type = Option<Object>)]
    having: Option<Map<String, Value>>,
    /// When it happened, RFC 3339; absent: now.
    time: Option<String>,
    /// What else is said of it.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// Takes an interaction in: each active workflow with a trigger `interaction` that fits starts once on the record. With an `id` of
/// its own, or an `Idempotency-Key`, a repeat starts nothing and gets the first answer.
#[operation(
    post, path = "/v1/interactions", tag = "events", operation_id = "post_interaction",
    params(("idempotency-key" = Option<String>, Header, description = "Identifies the interaction, if it has no id")),
    request_body(content = Posted),
    responses(
        (status = 202, description = "Accepted, durably", body = AcceptedView,
            headers(("idempotent-replayed", description = "`true` if this is the answer to an earlier request"))),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 410, body = Sent), (status = 413, body = Sent),
        (status = 422, body = Sent), (status = 503, body = Sent)
    )
)]
async fn post(State(api): State<Arc<Api>>, headers: HeaderMap, Json(body): Json<Posted>) -> Result<Response, Problem> {
    let key = request::idempotency_key(&headers)?;
    let Posted { id, kind, url, object, record, having, time, data } = body;
    let record = whose(record, having)?;
    let new = NewInteraction { id: id.or(key), kind, url, object, record, time, data };
    accepted::answer(&api.core.interactions.accept(new).await?, Starts::Itself)
}

fn whose(record: Option<String>, having: Option<Map<String, Value>>) -> Result<WhoseInteraction, Problem> {
    let refused = |at: &str, detail: String| Err(Problem::new(Code::InvalidEvent, detail).at(at));
    match (record, having) {
        (Some(id), None) => Ok(WhoseInteraction::Id(id)),
        (None, Some(having)) => {
            let count = having.len();
            match having.into_iter().next().filter(|_| count == 1) {
                Some((field, value)) => Ok(WhoseInteraction::Having { field, value }),
                None => refused("match", format!("expected one field with its value, found {count}")),
            }
        }
        (Some(_), Some(_)) => refused("record", "expected either `record` or `match`, found both".to_owned()),
        (None, None) => refused("record", "expected `record` or `match`, found neither".to_owned()),
    }
}

impl From<InteractionError> for Problem {
    fn from(error: InteractionError) -> Self {
        let detail = error.to_string();
        match error {
            InteractionError::Invalid { key, .. } => Self::new(Code::InvalidEvent, detail).at(key),
            InteractionError::BadMatch(_) => Self::new(Code::BadFilter, detail).at("match"),
            InteractionError::BlankMatch(_) => Self::new(Code::BlankMatch, detail).at("match"),
            InteractionError::NoMatch { .. } => Self::new(Code::NoRecord, detail).at("match"),
            InteractionError::Ambiguous { .. } => Self::new(Code::AmbiguousRecord, detail).at("match"),
            InteractionError::Archived(_) => Self::new(Code::RecordArchived, detail),
            InteractionError::Record(error) => error.into(),
            InteractionError::Failed(error) => error.into(),
        }
    }
}
