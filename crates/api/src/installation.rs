//! The installation: its controls, notices, health, and the descriptions that tools read.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use pawl_engine::Act;
use pawl_runtime::Redriven;
use pawl_runtime::items::audit::{ActionEntry, Deed, Entry, Stage};
use pawl_runtime::items::installation::Installation;
use pawl_runtime::ports::Notice;
use serde::Serialize;
use serde_json::Value;

use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::executions::{ActView, RecordName, Why};
use crate::page::{Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{Actor, Params};
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface
        .on::<__path_show, _, _>(show)
        .on::<__path_kill, _, _>(kill)
        .on::<__path_lift, _, _>(lift)
        .on::<__path_redrive, _, _>(redrive)
        .on::<__path_notices, _, _>(notices)
        .on::<__path_audit, _, _>(audit)
        .on::<__path_metrics, _, _>(metrics)
        .on::<__path_open_metrics, _, _>(open_metrics)
        .on::<__path_schema, _, _>(schema)
        .on::<__path_openapi, _, _>(openapi)
}

/// The routes that need neither credentials nor a role.
pub(crate) fn open_routes<S: Surface>(surface: S) -> S {
    surface.on::<__path_health, _, _>(health)
}

/// The controls of the whole installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Installation)]
struct InstallationView {
    /// Version of the server.
    version: &'static str,
    /// Present while everything is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    killed: Option<ActView>,
    /// The operation that a lift began.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

impl From<Installation> for InstallationView {
    fn from(installation: Installation) -> Self {
        Self { version: VERSION, killed: installation.killed.as_ref().map(ActView::from), operation: None }
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Shows the controls of the installation.
#[operation(
    get, path = "/v1/installation", tag = "installation", operation_id = "show_installation",
    responses((status = 200, body = InstallationView))
)]
async fn show(State(api): State<Arc<Api>>) -> Result<axum::Json<InstallationView>, Problem> {
    Ok(axum::Json(api.core.installations.read().await?.into()))
}

/// Stops every execution before its next step and next outside effect, and keeps its state.
#[operation(
    post, path = "/v1/installation/kill", tag = "installation", operation_id = "kill_installation",
    request_body(content = Why), responses((status = 200, body = InstallationView))
)]
async fn kill(
    State(api): State<Arc<Api>>,
    actor: Actor,
    Json(why): Json<Why>,
) -> Result<axum::Json<InstallationView>, Problem> {
    let act = actor.or(why.actor)?.act(why.reason, api.core.ingest.now())?;
    Ok(axum::Json(api.core.installations.set_killed(true, &act).await?.0.into()))
}

/// Lifts the kill of the installation; executions that are due continue. That goes on after the answer: `operation` names
/// the operation to ask for.
#[operation(
    post, path = "/v1/installation/lift", tag = "installation", operation_id = "lift_installation",
    request_body(content = Why), responses((status = 202, body = InstallationView))
)]
async fn lift(
    State(api): State<Arc<Api>>,
    actor: Actor,
    Json(why): Json<Why>,
) -> Result<(StatusCode, axum::Json<InstallationView>), Problem> {
    let act = actor.or(why.actor)?.act(why.reason, api.core.ingest.now())?;
    let (installation, operation) = api.core.installations.set_killed(false, &act).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(InstallationView { operation, ..installation.into() })))
}

/// What a redrive set going.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redriven)]
struct RedrivenView {
    /// The operation that wakes stalled executions, and moves the messages that are left.
    operation: String,
    /// Messages that are back on their queues by now.
    messages: u64,
}

/// Redrives work that was given up: moves messages back from the dead-letter queues, and wakes stalled executions. Work
/// that fails again is given up again. The embedded mode keeps no dead letters, so there it only wakes executions. The work
/// goes on after the answer: `operation` names the operation to ask for.
#[operation(
    post, path = "/v1/installation/redrive", tag = "installation", operation_id = "redrive_installation",
    request_body(content = Why), responses((status = 202, body = RedrivenView))
)]
async fn redrive(
    State(api): State<Arc<Api>>,
    actor: Actor,
    Json(why): Json<Why>,
) -> Result<(StatusCode, axum::Json<RedrivenView>), Problem> {
    let act = actor.or(why.actor)?.act(why.reason, api.core.ingest.now())?;
    let Redriven { operation, messages } = api.core.installations.redrive(&act).await?;
    let Act { actor, reason, .. } = act;
    tracing::info!(actor, reason, messages, operation, "{messages} dead letters go on, and so does what is stalled");
    Ok((StatusCode::ACCEPTED, axum::Json(RedrivenView { operation, messages })))
}

/// An action on a workflow or on the installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryView {
    /// `kill`, `lift`, `redrive`, `forget` or `action`.
    #[schema(value_type = String)]
    deed: Deed,
    /// The workflow; absent if the action concerned the whole installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    /// The record that was forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordName>,
    /// The tracked action that began, was paused, resumed or canceled, or is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<ActionEntryView>,
    #[serde(flatten)]
    act: ActView,
}

/// What the audit says of a tracked action.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedAction)]
struct ActionEntryView {
    /// Its operation.
    operation: String,
    /// `retry`, `resume`, `cancel`, `skip`, `redrive` or `start`.
    action: String,
    /// `begun`, `paused`, `resumed`, `canceled` or `completed`.
    #[schema(value_type = String)]
    stage: Stage,
    /// Whom it concerns. Lists of ids are told by their length, and an expression by `true`: both stand in the operation,
    /// which is kept for 90 days.
    #[schema(value_type = Object)]
    filter: Value,
    /// How many it found before it began.
    found: u64,
    /// What came of it by then.
    #[schema(value_type = Object)]
    counts: Value,
}

impl From<ActionEntry> for ActionEntryView {
    fn from(entry: ActionEntry) -> Self {
        let ActionEntry { id: operation, action, stage, filter, found, counts } = entry;
        Self { operation, action, stage, filter, found, counts }
    }
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let record = entry.record.as_ref().map(RecordName::from);
        let action = entry.action.map(ActionEntryView::from);
        Self { deed: entry.deed, workflow: entry.workflow, record, action, act: ActView::from(&entry.act) }
    }
}

/// Lists uses of the kill switches of workflows and of the installation, redrives, tracked actions, and records that were
/// forgotten, newest first. The history of an execution lists the controls of that execution.
#[operation(
    get, path = "/v1/audit", tag = "installation", operation_id = "list_audit", params(Paging),
    responses((status = 200, body = Listing<EntryView>))
)]
async fn audit(
    State(api): State<Arc<Api>>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<EntryView>>, Problem> {
    let mut walk = Walk::of("audit".to_owned(), &paging)?;
    let after = walk.after();
    let found = api.core.history.audit(walk.limit, after).await.map_err(|error| walk.problem(error))?;
    Ok(axum::Json(walk.page(found, EntryView::from)))
}

/// A notice to the owner of a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
struct NoticeView {
    /// Id.
    id: String,
    /// Address.
    to: String,
    /// `info`, `warning` or `error`.
    severity: String,
    /// One line.
    subject: String,
    /// What happened and what to do.
    text: String,
    /// Time.
    at: Timestamp,
}

impl From<Notice> for NoticeView {
    fn from(notice: Notice) -> Self {
        let Notice { id, to, severity, subject, text, at } = notice;
        Self { id, to, severity, subject, text, at }
    }
}

/// Lists notices, newest first.
#[operation(
    get, path = "/v1/notices", tag = "installation", operation_id = "list_notices", params(Paging),
    responses((status = 200, body = Listing<NoticeView>))
)]
async fn notices(
    State(api): State<Arc<Api>>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<NoticeView>>, Problem> {
    let mut walk = Walk::of("notices".to_owned(), &paging)?;
    let after = walk.after();
    let found = api.core.history.notices(walk.limit, after).await.map_err(|error| walk.problem(error))?;
    Ok(axum::Json(walk.page(found, NoticeView::from)))
}

/// Shows the counters of this process since it began.
#[operation(
    get, path = "/v1/metrics", tag = "installation", operation_id = "metrics",
    responses((status = 200, description = "Counts by name", body = BTreeMap<String, u64>))
)]
async fn metrics(State(api): State<Arc<Api>>) -> axum::Json<BTreeMap<&'static str, u64>> {
    axum::Json(api.core.metrics.snapshot())
}

/// Exports metrics in the text format of `OpenMetrics`: counters by workflow, type of step and outcome, and latencies. Only
/// `pawl dev` does; on AWS the metrics are in `CloudWatch`.
#[operation(
    get, path = "/metrics", tag = "installation", operation_id = "open_metrics",
    responses(
        (status = 200, content_type = "application/openmetrics-text", body = String),
        (status = 404, description = "This installation exports no metrics", body = Sent)
    )
)]
async fn open_metrics(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    let none =
        || Problem::new(Code::UnknownRoute, "this installation exports no metrics; on AWS they are in CloudWatch");
    let text = api.options.metrics.text().ok_or_else(none)?;
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// Whether the server can work.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`, or `unavailable`.
    status: &'static str,
    /// Version of the server.
    version: &'static str,
    /// What prevents the server from working; it continues by itself once the cause is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Shows whether the server can work: 503 with the reason while storage is out of service. Needs no credentials.
#[operation(
    get, path = "/v1/health", tag = "installation", operation_id = "health", security(()),
    responses((status = 200, body = Health), (status = 503, description = "Out of service, with the reason", body = Health))
)]
async fn health(State(api): State<Arc<Api>>) -> (StatusCode, axum::Json<Health>) {
    let reason = api.options.health.trouble();
    let (code, status) =
        if reason.is_some() { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") } else { (StatusCode::OK, "ok") };
    (code, axum::Json(Health { status, version: VERSION, reason }))
}

/// Returns the JSON Schema of workflow files, for editors.
#[operation(
    get, path = "/v1/schema/workflow", tag = "installation", operation_id = "workflow_schema",
    responses((status = 200, content_type = "application/schema+json", body = serde_json::Value))
)]
async fn schema() -> Response {
    let kind = HeaderValue::from_static("application/schema+json");
    ([(CONTENT_TYPE, kind)], pawl_definition::workflow_schema()).into_response()
}

/// Describes this API.
#[operation(
    get, path = "/openapi.json", tag = "installation", operation_id = "openapi",
    responses((status = 200, content_type = "application/json", body = serde_json::Value))
)]
async fn openapi() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], crate::description()).into_response()
}
