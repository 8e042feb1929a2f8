//! Forks of an execution: asked for, and listed.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use pawl_engine::{Event, Execution, Fork, ForkError, ForkOrder, Plan, coerce, ids};
use pawl_runtime::items::refusal;
use pawl_runtime::{FORK, ForkFailed, Identity, Ingest, Listed, offload};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::situation::Situations;
use super::summary::Summary;
use super::unknown;
use crate::accepted::{self, AcceptedView, Starts};
use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::page::{Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{self, Actor, Params, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// What a fork is asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForkRequest)]
pub(super) struct Asked {
    /// The step before which the fork begins, with what the execution had come to when it stood before that step last. If
    /// absent, the fork begins anew, from the event of the execution.
    at: Option<String>,
    /// Values that take the place of variables, by name; each is converted to the type of its variable.
    #[serde(default)]
    #[schema(value_type = Object)]
    values: Map<String, Value>,
    /// The revision of the workflow that the fork keeps to its end. If absent, it follows the workflow as it is.
    revision: Option<u64>,
    /// The fork stops before each of its steps, as an execution that is started with `debug`.
    #[serde(default)]
    debug: bool,
    /// Reason in words, for the history.
    reason: Option<String>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
}

/// What a replay is asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayRequest)]
pub(super) struct ReplayAsked {
    /// Values that take the place of variables, by name; each is converted to the type of its variable.
    #[serde(default)]
    #[schema(value_type = Object)]
    values: Map<String, Value>,
    /// The revision of the workflow that the execution keeps to its end. If absent, it follows the workflow as it is.
    revision: Option<u64>,
    /// The execution stops before each of its steps.
    #[serde(default)]
    debug: bool,
    /// Reason in words, for the history.
    reason: Option<String>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
}

/// The execution that another one is a fork of, or the refusal whose event began it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fork)]
pub(super) struct ForkView {
    /// Id of the execution, or of the refusal.
    execution: String,
    /// The code with which the event was refused; absent of a fork.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// The revision of the workflow that the fork keeps; absent if it follows the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    /// The step before which the fork began; absent if it began anew from the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// The number of the transition of the other execution after which the fork began; 0 if it began anew.
    seq: u64,
}

impl ForkView {
    pub(super) fn of(execution: &Execution) -> Option<Self> {
        let Fork { execution: original, at, seq, refused } = *execution.fork.clone()?;
        let original = if refused.is_some() { refusal::id_of(&original) } else { original };
        let revision = execution.keeps_revision.then_some(execution.revision);
        Some(Self { execution: original, refused, revision, at, seq })
    }
}

/// Begins a new execution from the state that an execution had before a step, or anew from its event. No call that the execution
/// made is repeated before that step, and nothing is written to it. With an `Idempotency-Key`, a repeat gets the first answer.
#[operation(
    post, path = "/v1/executions/{id}/fork", tag = "executions", operation_id = "fork_execution",
    params(
        ("id" = String, Path, description = "Execution"),
        ("idempotency-key" = Option<String>, Header, description = "Identifies the request; a repeat starts nothing"),
        ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
    ),
    request_body(content = Asked),
    responses(
        (status = 202, description = "Accepted, durably", body = AcceptedView,
            headers(("idempotent-replayed", description = "`true` if this is the answer to an earlier request"))),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 410, body = Sent),
        (status = 422, body = Sent)
    )
)]
pub(super) async fn fork(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<Asked>,
) -> Result<Response, Problem> {
    let Asked { at, values: given, revision, debug, reason, actor: named } = body;
    let request = Request::of(&api, &id, &headers, &json!([at, given, revision, debug]))?;
    if let Some(answer) = request.earlier().await? {
        return Ok(answer);
    }
    let original = api.core.history.execution(&id).await?.ok_or_else(|| unknown(&id))?;
    let plan = plan(&api, &original.workflow, revision).await?;
    if let Some(record) = &original.record {
        api.core.records.get(record).await?;
    }
    let values = values(&plan, at.is_some(), given)?;
    let order = ForkOrder { at, values, revision, act: actor.or(named)?.act(reason, request.ingest.now())? };
    let event = api.core.forks.event(&id, order, &plan, request.event_id()).await?;
    request.accept(Event { debug, ..event }).await
}

/// Begins an execution by an event that was refused. The trigger and its filter decide anew, by the workflow as it is; nothing of
/// `limits` holds the execution back but the slots of `concurrency`. With an `Idempotency-Key`, a repeat gets the first answer.
#[operation(
    post, path = "/v1/refusals/{id}/replay", tag = "executions", operation_id = "replay_refusal",
    params(
        ("id" = String, Path, description = "Refusal"),
        ("idempotency-key" = Option<String>, Header, description = "Identifies the request; a repeat starts nothing"),
        ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
    ),
    request_body(content = ReplayAsked),
    responses(
        (status = 202, description = "Accepted, durably", body = AcceptedView,
            headers(("idempotent-replayed", description = "`true` if this is the answer to an earlier request"))),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 410, body = Sent),
        (status = 422, body = Sent)
    )
)]
pub(super) async fn replay(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<ReplayAsked>,
) -> Result<Response, Problem> {
    let none = || Problem::new(Code::NoRefusal, format!("there is no refusal {id:?}"));
    let instead_of = refusal::execution_of(&id).ok_or_else(none)?;
    let ReplayAsked { values: given, revision, debug, reason, actor: named } = body;
    let request = Request::of(&api, &instead_of, &headers, &json!([given, revision, debug]))?;
    if let Some(answer) = request.earlier().await? {
        return Ok(answer);
    }
    let refused = api.core.forks.refused(&id).await?;
    let plan = plan(&api, refused.workflow(), revision).await?;
    if let Some(record) = refused.record() {
        api.core.records.get(record).await?;
    }
    let values = values(&plan, false, given)?;
    let order = ForkOrder { at: None, values, revision, act: actor.or(named)?.act(reason, request.ingest.now())? };
    request.accept(Event { debug, ..refused.replay(order, request.event_id()) }).await
}

/// A request that begins an execution again, in the place of another one or beside it.
struct Request<'a> {
    ingest: &'a Ingest,
    original: &'a str,
    key: Option<String>,
    identity: Identity,
}

impl<'a> Request<'a> {
    /// With what it asks for; who asks, and why, is no part of that.
    fn of(api: &'a Api, original: &'a str, headers: &HeaderMap, asked: &Value) -> Result<Self, Problem> {
        let key = request::idempotency_key(headers)?;
        let content = key.as_ref().map(|_| offload::sha256(asked.to_string().as_bytes()));
        let identity = Identity { content, ..Identity::of(key.as_deref()) };
        Ok(Self { ingest: &api.core.ingest, original, key, identity })
    }

    /// The answer to an earlier request with its key.
    async fn earlier(&self) -> Result<Option<Response>, Problem> {
        let earlier = self.ingest.earlier(self.original, FORK, &self.identity).await?;
        earlier.map(|earlier| accepted::answer(&earlier, Starts::Itself)).transpose()
    }

    fn event_id(&self) -> String {
        let of_key = self.key.as_ref().map(|key| ids::delivery_event_id(self.original, FORK, key));
        of_key.unwrap_or_else(|| self.ingest.fresh_id())
    }

    async fn accept(&self, event: Event) -> Result<Response, Problem> {
        accepted::answer(&self.ingest.accept(event, &self.identity).await?, Starts::Itself)
    }
}

/// A revision of a workflow, or the workflow as it is.
async fn plan(api: &Api, workflow: &str, revision: Option<u64>) -> Result<Arc<Plan>, Problem> {
    let none = || match revision {
        None => Problem::new(Code::NoWorkflow, format!("there is no workflow {workflow:?}")),
        Some(revision) => {
            let detail = format!("the workflow {workflow:?} has no revision {revision}");
            Problem::new(Code::NoRevision, detail).at("revision")
        }
    };
    api.core.workflows.plan(workflow, revision).await?.ok_or_else(none)
}

/// The values, each of its variable's type. A fork from a step on may also be given what steps assign.
fn values(plan: &Plan, from_step: bool, given: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let mut values = Map::new();
    for (name, value) in given {
        let path = format!("values.{name}");
        let declared = plan.workflow.variables.iter().find(|variable| variable.name == name);
        let value = match declared {
            Some(variable) => coerce::variable(value, variable.kind, variable.many, &plan.timezone)
                .map_err(|error| Problem::new(Code::ValueFailed, error.message).at(path))?,
            None if from_step && plan.assigned.contains(&name) => value,
            None => {
                let known: Vec<_> = plan.assigned.iter().map(String::as_str).collect();
                let detail = format!("expected a variable of the workflow ({}), found {name:?}", known.join(", "));
                return Err(Problem::new(Code::UnknownVariable, detail).at(path));
            }
        };
        values.insert(name, value);
    }
    Ok(values)
}

impl From<ForkFailed> for Problem {
    fn from(error: ForkFailed) -> Self {
        let detail = error.to_string();
        match error {
            ForkFailed::NotFound(_) => Self::new(Code::NoExecution, detail),
            ForkFailed::NoRefusal(_) => Self::new(Code::NoRefusal, detail),
            ForkFailed::NoEvent(_) => Self::new(Code::NotReplayable, detail),
            ForkFailed::Refused(ForkError::UnknownStep(_)) => Self::new(Code::UnknownStep, detail).at("at"),
            ForkFailed::Refused(_) => Self::new(Code::NotForkable, detail),
            ForkFailed::Failed(error) => error.into(),
        }
    }
}

/// Lists the forks of an execution, in no order of time. One that has expired is not listed.
#[operation(
    get, path = "/v1/executions/{id}/forks", tag = "executions", operation_id = "list_forks",
    params(("id" = String, Path, description = "Execution"), Paging),
    responses((status = 200, body = Listing<Summary>), (status = 404, body = Sent))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<Summary>>, Problem> {
    api.core.history.execution(&id).await?.ok_or_else(|| unknown(&id))?;
    let mut walk = Walk::of(format!("forks {id}"), &paging)?;
    let after = walk.after();
    let found = api.core.history.forks(&id, walk.limit, after).await.map_err(|error| walk.problem(error))?;
    let mut situations = Situations::new(&api);
    let mut items = Vec::new();
    for fork in found.items {
        if let Some(fork) = api.core.history.execution(&fork).await? {
            items.push(situations.summary(&fork).await?);
        }
    }
    let found = Listed { items, next: found.next, unreadable: found.unreadable };
    Ok(axum::Json(walk.page(found, |fork| fork)))
}
