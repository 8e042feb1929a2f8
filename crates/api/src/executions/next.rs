//! The step that a paused execution stands before: what it would do.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use pawl_engine::StepStatus;
use pawl_runtime::Ahead;
use serde::Serialize;
use serde_json::Value;

use super::unknown;
use super::view::Fault;
use crate::describe::{ToSchema, operation};
use crate::page;
use crate::problem::Sent;
use crate::request::Route;
use crate::state::Api;
use crate::{Code, Problem};

/// The step that a paused execution stands before, and what it would do by the variables and the record as they are now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextStep)]
pub(super) struct NextView {
    /// Step.
    step: String,
    /// Type of the step.
    step_type: String,
    /// State that the step would come to; `running` if it would make a call outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    status: Option<StepStatus>,
    /// Evaluated input, with secrets redacted.
    #[serde(skip_serializing_if = "Value::is_null")]
    input: Value,
    /// Output; absent if only a call or a wait gives it.
    #[serde(skip_serializing_if = "Value::is_null")]
    output: Value,
    /// Branch that would be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// Failure, if the step would fail before any call.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
    /// Reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Due time of a wait or a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

impl From<Ahead> for NextView {
    fn from(Ahead { step, step_type, would }: Ahead) -> Self {
        Self {
            step,
            step_type,
            status: would.status,
            input: page::shown(would.input),
            output: page::shown(would.output),
            branch: would.branch,
            error: would.error.as_ref().map(Fault::from),
            note: would.note,
            due: would.due,
        }
    }
}

/// Shows the step that a paused execution stands before, with its input as it would be resolved now. Nothing is carried out.
#[operation(
    get, path = "/v1/executions/{id}/next", tag = "executions", operation_id = "next_step",
    params(("id" = String, Path, description = "Execution")),
    responses((status = 200, body = NextView), (status = 404, body = Sent), (status = 409, body = Sent))
)]
pub(super) async fn next(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
) -> Result<axum::Json<NextView>, Problem> {
    let ahead = api.core.transitions.ahead(&id).await?.ok_or_else(|| unknown(&id))?;
    let stands_before_none = || {
        let detail = "expected an execution that is paused before a step, found one that stands before none";
        Problem::new(Code::IllegalTransition, detail)
    };
    Ok(axum::Json(ahead.ok_or_else(stands_before_none)?.into()))
}
