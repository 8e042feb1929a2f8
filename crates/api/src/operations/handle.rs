//! What people do to a tracked action: run, pause, resume and cancel it.

use std::sync::Arc;

use axum::extract::State;
use pawl_runtime::Handling;

use super::view::OperationView;
use crate::Problem;
use crate::body::Json;
use crate::describe::operation;
use crate::executions::Why;
use crate::problem::Sent;
use crate::request::{Actor, Route};
use crate::state::Api;

async fn handle(
    api: &Api,
    (id, handling): (&str, Handling),
    actor: Actor,
    why: Why,
) -> Result<axum::Json<OperationView>, Problem> {
    let act = actor.or(why.actor)?.act(why.reason, api.core.ingest.now())?;
    Ok(axum::Json(api.core.operations.handle_action(id, handling, &act).await?.into()))
}

/// Defines a handler for each of them.
macro_rules! handlings {
    ($($(#[$doc:meta])* $name:ident, $path:literal, $id:literal, $handling:ident;)*) => {
        $(
            $(#[$doc])*
            #[operation(
                post, path = $path, tag = "operations", operation_id = $id,
                params(("id" = String, Path, description = "Operation")), request_body(content = Why),
                responses(
                    (status = 200, description = "Done, or already in that state", body = OperationView),
                    (status = 404, body = Sent), (status = 409, body = Sent)
                )
            )]
            pub(super) async fn $name(
                State(api): State<Arc<Api>>,
                Route(id): Route<String>,
                actor: Actor,
                Json(why): Json<Why>,
            ) -> Result<axum::Json<OperationView>, Problem> {
                handle(&api, (&id, Handling::$handling), actor, why).await
            }
        )*
    };
}

handlings! {
    /// Runs an action that was previewed.
    run, "/v1/operations/{id}/run", "run_action", Run;
    /// Pauses an action after the executions in hand.
    pause, "/v1/operations/{id}/pause", "pause_action", Pause;
    /// Continues an action that was paused, or that failed.
    resume, "/v1/operations/{id}/resume", "resume_action", Resume;
    /// Cancels an action after the executions in hand. What it did stays.
    cancel, "/v1/operations/{id}/cancel", "cancel_action", Cancel;
}
