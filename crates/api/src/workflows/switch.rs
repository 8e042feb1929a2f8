//! Switching a workflow: active or not, killed or not.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use pawl_runtime::items::workflow::Head;
use pawl_runtime::{SaveError, Switched};
use serde::Serialize;

use super::view::HeadView;
use crate::Problem;
use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::executions::Why;
use crate::problem::{self, File, Sent};
use crate::request::{Actor, Route};
use crate::state::Api;

/// A workflow whose kill was lifted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiftedWorkflow)]
pub(super) struct LiftedView {
    #[serde(flatten)]
    head: HeadView,
    /// The operation that lets executions go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

fn answer(switched: Result<Head, SaveError>) -> Result<axum::Json<HeadView>, Problem> {
    match switched {
        Ok(head) => Ok(axum::Json(HeadView::from(&head))),
        Err(error) => Err(problem::of_save(error, File::Workflow)),
    }
}

/// Activates a workflow: enables its triggers and closes its breaker. Events from before start nothing.
#[operation(
    post, path = "/v1/workflows/{id}/activate", tag = "workflows", operation_id = "activate_workflow",
    params(("id" = String, Path, description = "Workflow")),
    responses((status = 200, body = HeadView), (status = 404, body = Sent))
)]
pub(super) async fn activate(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
) -> Result<axum::Json<HeadView>, Problem> {
    answer(api.core.workflows.set_active(&id, true).await)
}

/// Closes the breaker of a workflow; does not change whether the workflow is active. Events from before start nothing.
#[operation(
    post, path = "/v1/workflows/{id}/close-breaker", tag = "workflows", operation_id = "close_breaker",
    params(("id" = String, Path, description = "Workflow")),
    responses((status = 200, body = HeadView), (status = 404, body = Sent))
)]
pub(super) async fn close_breaker(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
) -> Result<axum::Json<HeadView>, Problem> {
    answer(api.core.workflows.close_breaker(&id).await)
}

/// Deactivates a workflow: its triggers start nothing. Executions in flight continue.
#[operation(
    post, path = "/v1/workflows/{id}/deactivate", tag = "workflows", operation_id = "deactivate_workflow",
    params(("id" = String, Path, description = "Workflow")),
    responses((status = 200, body = HeadView), (status = 404, body = Sent))
)]
pub(super) async fn deactivate(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
) -> Result<axum::Json<HeadView>, Problem> {
    answer(api.core.workflows.set_active(&id, false).await)
}

/// Stops every execution of a workflow before its next step and next outside effect, and keeps its state.
#[operation(
    post, path = "/v1/workflows/{id}/kill", tag = "workflows", operation_id = "kill_workflow",
    params(("id" = String, Path, description = "Workflow")), request_body(content = Why),
    responses((status = 200, body = HeadView), (status = 404, body = Sent))
)]
pub(super) async fn kill(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    Json(why): Json<Why>,
) -> Result<axum::Json<HeadView>, Problem> {
    let act = actor.or(why.actor)?.act(why.reason, api.core.ingest.now())?;
    answer(api.core.workflows.set_killed(&id, true, &act).await.map(|switched| switched.head))
}

/// Lifts the kill of a workflow; executions that are due continue. That goes on after the answer: `operation` names the
/// operation to ask for.
#[operation(
    post, path = "/v1/workflows/{id}/lift", tag = "workflows", operation_id = "lift_workflow",
    params(("id" = String, Path, description = "Workflow")), request_body(content = Why),
    responses((status = 202, body = LiftedView), (status = 404, body = Sent))
)]
pub(super) async fn lift(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    Json(why): Json<Why>,
) -> Result<(StatusCode, axum::Json<LiftedView>), Problem> {
    let act = actor.or(why.actor)?.act(why.reason, api.core.ingest.now())?;
    let switched = api.core.workflows.set_killed(&id, false, &act).await;
    let Switched { head, operation } = switched.map_err(|error| problem::of_save(error, File::Workflow))?;
    Ok((StatusCode::ACCEPTED, axum::Json(LiftedView { head: HeadView::from(&head), operation })))
}
