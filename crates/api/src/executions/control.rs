//! What people do to an execution: pause, resume, cancel, retry, skip, step, run, kill and lift.

use std::sync::Arc;

use axum::extract::State;
use pawl_definition::Take;
use pawl_engine::Control;
use serde::Deserialize;

use super::situation::Situations;
use super::view::Whole;
use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::problem::Sent;
use crate::request::{Actor, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// Reason and actor of a control.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// Reason in words, for the history.
    pub(crate) reason: Option<String>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    pub(crate) actor: Option<String>,
}

/// Reason and path of a control.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// Reason in words, for the history.
    reason: Option<String>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
    /// The path to take, `yes` or `no`, if the skipped step has two.
    take: Option<String>,
}

/// The path that a skipped step takes.
pub(crate) fn path(take: Option<&str>) -> Result<Option<Take>, Problem> {
    match take {
        None => Ok(None),
        Some("yes") => Ok(Some(Take::Yes)),
        Some("no") => Ok(Some(Take::No)),
        Some(other) => {
            let detail = format!("expected yes or no, found {other:?}");
            Err(Problem::new(Code::BodyMalformed, detail).at("take"))
        }
    }
}

/// Carries out a control.
async fn control(api: &Api, id: &str, control: &Control, actor: Actor, how: How) -> Result<axum::Json<Whole>, Problem> {
    let act = actor.or(how.actor)?.act(how.reason, api.core.ingest.now())?;
    let execution = api.core.transitions.control(id, control, &act).await?;
    let summary = Situations::new(api).summary(&execution).await?;
    Ok(axum::Json(Whole::of(&execution, summary)))
}

/// Defines a handler for each control that needs nothing but a reason.
macro_rules! controls {
    ($($(#[$doc:meta])* $name:ident, $path:literal, $id:literal, $control:ident;)*) => {
        $(
            $(#[$doc])*
            #[operation(
                post, path = $path, tag = "executions", operation_id = $id,
                params(("id" = String, Path, description = "Execution")), request_body(content = How),
                responses(
                    (status = 200, description = "Done, or already in that state", body = Whole),
                    (status = 404, body = Sent), (status = 409, body = Sent)
                )
            )]
            pub(super) async fn $name(
                State(api): State<Arc<Api>>,
                Route(id): Route<String>,
                actor: Actor,
                Json(how): Json<How>,
            ) -> Result<axum::Json<Whole>, Problem> {
                control(&api, &id, &Control::$control, actor, how).await
            }
        )*
    };
}

controls! {
    /// Pauses an execution before its next step. A delay keeps its due time.
    pause, "/v1/executions/{id}/pause", "pause_execution", Pause;
    /// Continues a paused execution.
    resume, "/v1/executions/{id}/resume", "resume_execution", Resume;
    /// Ends an execution, after the step in progress has committed.
    cancel, "/v1/executions/{id}/cancel", "cancel_execution", Cancel;
    /// Retries the failed step of a paused execution.
    retry, "/v1/executions/{id}/retry", "retry_execution", Retry;
    /// Carries out the step that an execution stopped before as its start asked, and stops before the next one.
    step, "/v1/executions/{id}/step", "step_execution", Step;
    /// Lets an execution that stops before each step go on without stops.
    run, "/v1/executions/{id}/run", "run_execution", Run;
    /// Stops an execution at once and keeps its state.
    kill, "/v1/executions/{id}/kill", "kill_execution", Kill;
    /// Lifts the kill of an execution.
    lift, "/v1/executions/{id}/lift", "lift_execution", Lift;
}

/// Skips the failed step of a paused execution, or the step that it stopped before as its start asked, and continues behind it.
#[operation(
    post, path = "/v1/executions/{id}/skip", tag = "executions", operation_id = "skip_execution",
    params(("id" = String, Path, description = "Execution")), request_body(content = How),
    responses(
        (status = 200, description = "Done, or already in that state", body = Whole),
        (status = 404, body = Sent), (status = 409, body = Sent)
    )
)]
pub(super) async fn skip(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    Json(how): Json<How>,
) -> Result<axum::Json<Whole>, Problem> {
    let take = path(how.take.as_deref())?;
    control(&api, &id, &Control::Skip { take }, actor, how).await
}
