//! Forgetting a record, a piece at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use pawl_engine::Subject;
use pawl_runtime::forget::{Forget, ForgetError, Forgotten, Stage};
use serde::{Deserialize, Serialize};

use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::page;
use crate::problem::Sent;
use crate::request::{Actor, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// How a record is forgotten.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct How {
    /// Cancels open executions on the record first; without it they refuse the request.
    cancel: bool,
    /// Looks through the executions of all workflows for the record, and not only of those that can reach its object.
    everywhere: bool,
    /// `next` of the previous answer.
    cursor: Option<String>,
    /// Reason in words, for the audit.
    reason: Option<String>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
}

/// What one request did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Forgotten)]
pub(super) struct ForgottenView {
    /// Cursor of the next request; absent if all is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Executions whose values this request took away, or found without values.
    executions: usize,
    /// Executions on the record whose cancellation waits for the step in progress.
    canceling: Vec<String>,
    /// Open executions that keep what they read of the record until it is forgotten again after their end.
    open: BTreeSet<String>,
    /// Items that cannot be read, and may hold values: restore them, and forget the record again.
    unreadable: BTreeSet<String>,
}

/// Forgets a record: replaces its values by `{"forgotten": <time>}`, in the record, in executions that read it, and in their
/// events, and deletes their blobs. Each request works for some seconds; send it again with `next` as `cursor` until `next`
/// is absent. Repeating it changes nothing. The id of the record remains, and takes no values and no events any more.
#[operation(
    post, path = "/v1/objects/{object}/records/{id}/forget", tag = "records", operation_id = "forget_record",
    params(("object" = String, Path, description = "Record type"), ("id" = String, Path, description = "Record")),
    request_body(content = How),
    responses((status = 200, body = ForgottenView), (status = 404, body = Sent), (status = 409, body = Sent))
)]
pub(super) async fn forget(
    State(api): State<Arc<Api>>,
    Route((object, id)): Route<(String, String)>,
    actor: Actor,
    Json(how): Json<How>,
) -> Result<axum::Json<ForgottenView>, Problem> {
    let act = actor.or(how.actor)?.act(how.reason, api.core.ingest.now())?;
    let record = Subject { object, id };
    let listing = format!("forget {record} {} {}", how.cancel, how.everywhere);
    let stage: Option<Stage> = page::open(&listing, how.cursor.as_deref())?;
    let order = Forget { record, cancel: how.cancel, everywhere: how.everywhere, act };
    let Forgotten { next, executions, canceling, open, unreadable } = api.core.forgetting.forget(&order, stage).await?;
    let next = next.map(|stage| page::seal(&listing, stage));
    Ok(axum::Json(ForgottenView { next, executions, canceling, open, unreadable }))
}

impl From<ForgetError> for Problem {
    fn from(error: ForgetError) -> Self {
        let detail = error.to_string();
        match error {
            ForgetError::NotFound(_) => Self::new(Code::NoRecord, detail),
            ForgetError::Open(_) => Self::new(Code::RecordInUse, detail),
            ForgetError::Failed(error) => error.into(),
        }
    }
}
