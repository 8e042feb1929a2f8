//! Starting a workflow by hand.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use pawl_definition::Workflow;
use pawl_engine::{Cause, Event, EventType, Plan, Subject, coerce, ids};
use pawl_runtime::{Identity, offload};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::unknown;
use crate::accepted::{self, AcceptedView, Starts};
use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::problem::Sent;
use crate::request::{self, Actor, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// The trigger that every workflow has.
const MANUAL: &str = "manual";

/// Input of a start.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The record to run on.
    record: Option<Target>,
    /// Values of variables, by name; each is converted to the type of its variable.
    #[serde(default)]
    #[schema(value_type = Object)]
    values: Map<String, Value>,
    /// The execution stops before each of its steps, until it is told to carry out the step, to skip it, or to run on.
    #[serde(default)]
    debug: bool,
    /// The actor, if the server does not know the sender.
    actor: Option<String>,
}

/// A record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// Record type.
    object: String,
    /// Id.
    id: String,
}

/// Starts a workflow, active or not. With an `Idempotency-Key`, a repeat gets the first answer.
#[operation(
    post, path = "/v1/workflows/{id}/start", tag = "workflows", operation_id = "start_workflow",
    params(
        ("id" = String, Path, description = "Workflow"),
        ("idempotency-key" = Option<String>, Header, description = "Identifies the request; a repeat starts nothing"),
        ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
    ),
    request_body(content = Start),
    responses(
        (status = 202, description = "Accepted, durably", body = AcceptedView,
            headers(("idempotent-replayed", description = "`true` if this is the answer to an earlier request"))),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 422, body = Sent)
    )
)]
pub(super) async fn start(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<Start>,
) -> Result<Response, Problem> {
    let ingest = &api.core.ingest;
    let key = request::idempotency_key(&headers)?;
    let (_, plan) = api.core.workflows.in_force(&id).await?.ok_or_else(|| unknown(&id))?;
    let is_debounced = plan.workflow.limits.debounce.is_some();
    let starts = if is_debounced { Starts::WithOthers } else { Starts::Itself };
    let content = content(&body);
    let identity = Identity { content: key.as_ref().map(|_| content), ..Identity::of(key.as_deref()) };
    if let Some(earlier) = ingest.earlier(&id, MANUAL, &identity).await? {
        return accepted::answer(&earlier, starts);
    }
    let subject = subject(&api, &plan.workflow, body.record).await?;
    let values = values(&plan, body.values)?;
    let mut data = Map::new();
    data.insert("values".to_owned(), Value::Object(values));
    data.insert("actor".to_owned(), actor.or(body.actor)?.name().into());
    let event = Event {
        id: key.as_ref().map_or_else(|| ingest.fresh_id(), |key| ids::delivery_event_id(&id, MANUAL, key)),
        kind: EventType::Manual,
        workflow: Some(id),
        trigger: Some(MANUAL.to_owned()),
        subject,
        occurred_at: ingest.now(),
        data,
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: body.debug,
    };
    let accepted = if is_debounced {
        ingest.accept_undecided(event, &identity).await?
    } else {
        ingest.accept(event, &identity).await?
    };
    accepted::answer(&accepted, starts)
}

/// Digest of what a start asks for; who asks is no part of it.
fn content(body: &Start) -> String {
    let record = body.record.as_ref().map(|target| [&target.object, &target.id]);
    offload::sha256(json!([record, body.values, body.debug]).to_string().as_bytes())
}

/// The record, which must be one that the workflow runs on.
async fn subject(api: &Api, workflow: &Workflow, given: Option<Target>) -> Result<Option<Subject>, Problem> {
    match (&workflow.object, given) {
        (None, None) => Ok(None),
        (Some(object), Some(target)) if *object == target.object => {
            let subject = Subject { object: target.object, id: target.id };
            api.core.records.get(&subject).await?;
            Ok(Some(subject))
        }
        (Some(object), None) => {
            let detail = format!("expected a record of the object {object:?} to run on, found none");
            Err(Problem::new(Code::RecordRequired, detail).at("record"))
        }
        (Some(object), Some(target)) => {
            let detail = format!("expected a record of the object {object:?}, found one of {:?}", target.object);
            Err(Problem::new(Code::RecordNotExpected, detail).at("record.object"))
        }
        (None, Some(_)) => {
            let detail = "expected no record: the workflow runs on none, for it has no `object`";
            Err(Problem::new(Code::RecordNotExpected, detail).at("record"))
        }
    }
}

/// The values, each of a variable and of its type.
pub(crate) fn values(plan: &Plan, given: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let workflow = &plan.workflow;
    let mut values = Map::new();
    for (name, value) in given {
        let path = format!("values.{name}");
        let Some(variable) = workflow.variables.iter().find(|variable| variable.name == name) else {
            let known: Vec<_> = workflow.variables.iter().map(|variable| variable.name.as_str()).collect();
            let detail = format!("expected a variable of the workflow ({}), found {name:?}", known.join(", "));
            return Err(Problem::new(Code::UnknownVariable, detail).at(path));
        };
        let value = coerce::variable(value, variable.kind, variable.many, &plan.timezone)
            .map_err(|error| Problem::new(Code::ValueFailed, error.message).at(path))?;
        values.insert(name, value);
    }
    Ok(values)
}
