//! The history of a record.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use pawl_definition::json;
use pawl_engine::Subject;
use pawl_runtime::RecordError;
use pawl_runtime::items::record_change::{ChangedBy, FieldChange, RecordChange};
use serde::Serialize;
use serde_json::Value;

use crate::Problem;
use crate::describe::{ToSchema, operation};
use crate::page::{self, Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;

/// A change of a record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordChange)]
pub(super) struct ChangeView {
    /// The version that it made; 1 is the creation.
    version: u64,
    /// When.
    at: Timestamp,
    /// By whom or what.
    by: ByView,
    /// What changed, by field; `archived_at` is the way into the archive or out of it.
    changes: BTreeMap<String, FieldView>,
}

/// Who or what changed a record: an actor; an execution of a workflow by a step; or a workflow that made the record by an
/// event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedBy)]
struct ByView {
    /// Who wrote it by the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// A workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    /// An execution of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<String>,
    /// A step of the execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// The event by which the workflow made the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
}

/// What became of the value of a field. A value of more than 1 KiB is told by its length, `{"omitted_bytes": 2048}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldChange)]
struct FieldView {
    /// Its value before; absent if it was empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    /// Its value after; absent if it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
}

impl From<RecordChange> for ChangeView {
    fn from(change: RecordChange) -> Self {
        let RecordChange { version, at, by, changes } = change;
        let ChangedBy { actor, workflow, execution, step, event } = by;
        let field = |FieldChange { from, to }| FieldView { from, to };
        let changes = changes.into_iter().map(|(name, change)| (name, field(change))).collect();
        Self { version, at, by: ByView { actor, workflow, execution, step, event }, changes }
    }
}

/// Lists the changes of a record, the newest first: which fields, from what to what, when, and by whom or what. Changes are
/// kept for 400 days.
#[operation(
    get, path = "/v1/objects/{object}/records/{id}/history", tag = "records", operation_id = "list_record_changes",
    params(("object" = String, Path, description = "Record type"), ("id" = String, Path, description = "Record"), Paging),
    responses((status = 200, body = Listing<ChangeView>), (status = 404, body = Sent), (status = 410, body = Sent))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Route((object, id)): Route<(String, String)>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<ChangeView>>, Problem> {
    let record = Subject { object, id };
    let mut walk = Walk::of(format!("changes {record}"), &paging)?;
    let (after, mut limit) = (walk.after(), walk.limit);
    loop {
        let found = match api.core.records.changes(&record, limit, after.clone()).await {
            Err(RecordError::Failed(error)) => return Err(walk.problem(error)),
            found => found?,
        };
        // Storage says where a page ends, so one that is too long is read again, shorter.
        limit = page::fitting(found.items.iter().map(bytes));
        if limit >= found.items.len() {
            return Ok(axum::Json(walk.page(found, ChangeView::from)));
        }
    }
}

/// Bytes of a change's values as JSON.
fn bytes(change: &RecordChange) -> usize {
    let values = change.changes.values().flat_map(|change| change.from.iter().chain(&change.to));
    change.changes.keys().map(String::len).chain(values.map(json::bytes)).sum()
}
