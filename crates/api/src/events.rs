//! Events from outside: the same that an event bus brings on AWS.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use pawl_runtime::{Identity, bus, offload};
use serde::Deserialize;
use serde_json::{Map, Value, json};

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

/// An event, with the keys of `EventBridge`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Posted {
    /// Id, which tells a repeat; absent: the `Idempotency-Key`, else a fresh one.
    id: Option<String>,
    /// Who tells of it, such as `shop.orders`; none that begins with `pawl.`.
    source: String,
    /// What happened, such as `Order Placed`.
    #[serde(rename = "detail-type")]
    detail_type: String,
    /// What is to be said of it.
    #[serde(default)]
    #[schema(value_type = Object)]
    detail: Map<String, Value>,
    /// When it happened, RFC 3339; absent: now.
    time: Option<String>,
    /// The account that it comes from.
    account: Option<String>,
    /// The region that it comes from.
    region: Option<String>,
    /// What it is about.
    #[serde(default)]
    resources: Vec<String>,
    /// The version of this shape.
    version: Option<String>,
}

/// Takes an event in: each active workflow with a trigger `event` whose pattern matches starts once. With an
/// `Idempotency-Key`, or an `id` of its own, a repeat starts nothing and gets the first answer.
#[operation(
    post, path = "/v1/events", tag = "events", operation_id = "post_event",
    params(("idempotency-key" = Option<String>, Header, description = "Identifies the event, if it has no id")),
    request_body(content = Posted),
    responses(
        (status = 202, description = "Accepted, durably", body = AcceptedView,
            headers(("idempotent-replayed", description = "`true` if this is the answer to an earlier request"))),
        (status = 409, body = Sent), (status = 413, body = Sent), (status = 422, body = Sent), (status = 503, body = Sent)
    )
)]
async fn post(State(api): State<Arc<Api>>, headers: HeaderMap, Json(body): Json<Posted>) -> Result<Response, Problem> {
    let ingest = &api.core.ingest;
    let key = body.id.clone().or(request::idempotency_key(&headers)?);
    let content = offload::sha256(content(&body).to_string().as_bytes());
    let identity = Identity { content: key.as_ref().map(|_| content), ..Identity::of(key.as_deref()) };
    let envelope = envelope(body, key.unwrap_or_else(|| ingest.fresh_id()), ingest.now());
    let unusable = |reason: String| Problem::new(Code::InvalidEvent, reason);
    let event = bus::outside(&envelope).map_err(|error| unusable(error.reason))?;
    let event = event.ok_or_else(|| unusable("expected a source of your own, found one of Pawl".to_owned()))?;
    if let Some(earlier) = ingest.earlier(bus::POSTED, bus::POSTED, &identity).await? {
        return accepted::answer(&earlier, Starts::Itself);
    }
    // What was told late happened now for those who listen since then.
    let event = pawl_engine::Event { occurred_at: ingest.now(), ..event };
    accepted::answer(&ingest.accept_undecided(event, &identity).await?, Starts::Itself)
}

/// What a repeat sends again.
fn content(body: &Posted) -> Value {
    let Posted { source, detail_type, detail, time, account, region, resources, .. } = body;
    json!([source, detail_type, detail, time, account, region, resources])
}

fn envelope(body: Posted, id: String, now: jiff::Timestamp) -> Value {
    let Posted { id: _, source, detail_type, detail, time, account, region, resources, version } = body;
    let mut envelope = Map::new();
    let texts = [
        ("version", version.or_else(|| Some("0".to_owned()))),
        ("id", Some(id)),
        ("source", Some(source)),
        ("detail-type", Some(detail_type)),
        ("time", time.or_else(|| Some(now.to_string()))),
        ("account", account),
        ("region", region),
    ];
    envelope.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))));
    envelope.insert("resources".to_owned(), resources.into());
    envelope.insert("detail".to_owned(), detail.into());
    Value::Object(envelope)
}
