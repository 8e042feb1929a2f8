//! Operations: work on many executions that goes on after the answer of the request that began it.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use pawl_runtime::items::operation::{self, Kind, Operation};
use serde::Serialize;

use crate::describe::{ToSchema, operation};
use crate::problem::Sent;
use crate::request::Route;
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface.on::<__path_show, _, _>(show)
}

/// An operation on many executions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operation)]
struct OperationView {
    /// Id.
    id: String,
    /// `edit`, `lift` or `redrive`.
    #[schema(value_type = String)]
    kind: Kind,
    /// The workflow; absent if the operation concerns the whole installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    /// `running`, `completed`, or `failed`: then a redrive sends its message again.
    #[schema(value_type = String)]
    state: operation::State,
    /// Executions that were woken, or that looked again at what they wait for.
    executions: u64,
    /// Dead letters that went back to their queues.
    messages: u64,
    /// Time at which the operation began.
    begun_at: Timestamp,
    /// Time of its last progress.
    updated_at: Timestamp,
    /// Why the operation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        let Operation { id, kind, workflow, state, executions, messages, begun_at, updated_at, error, .. } = operation;
        Self { id, kind, workflow, state, executions, messages, begun_at, updated_at, error }
    }
}

/// Shows how far an operation is: what a lift, a redrive or an edit of a workflow has set going. Operations are kept for 90
/// days.
#[operation(
    get, path = "/v1/operations/{id}", tag = "installation", operation_id = "show_operation",
    params(("id" = String, Path, description = "Operation")),
    responses((status = 200, body = OperationView), (status = 404, body = Sent))
)]
async fn show(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<axum::Json<OperationView>, Problem> {
    match api.core.operations.read(&id).await? {
        Some(operation) => Ok(axum::Json(operation.into())),
        None => Err(Problem::new(Code::NoOperation, format!("there is no operation {id:?}"))),
    }
}
