//! Operations: work on many executions that goes on after the answer of the request that began it, tracked actions among it.

mod begin;
mod handle;
mod view;

use std::sync::Arc;

use axum::extract::State;
use pawl_runtime::items;

use crate::describe::operation;
use crate::page::{self, Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};
use view::{OperationView, ResultView};

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface
        .on::<__path_list, _, _>(list)
        .on::<begin::__path_begin, _, _>(begin::begin)
        .on::<begin::__path_start, _, _>(begin::start)
        .on::<__path_show, _, _>(show)
        .on::<__path_results, _, _>(results)
        .on::<handle::__path_run, _, _>(handle::run)
        .on::<handle::__path_pause, _, _>(handle::pause)
        .on::<handle::__path_resume, _, _>(handle::resume)
        .on::<handle::__path_cancel, _, _>(handle::cancel)
}

fn unknown(id: &str) -> Problem {
    Problem::new(Code::NoOperation, format!("there is no operation {id:?}"))
}

/// Lists operations, the newest first: lifts, redrives, edits that touched a wait, and tracked actions.
#[operation(
    get, path = "/v1/operations", tag = "operations", operation_id = "list_operations", params(Paging),
    responses((status = 200, body = Listing<OperationView>))
)]
async fn list(
    State(api): State<Arc<Api>>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<OperationView>>, Problem> {
    let mut walk = Walk::of("operations".to_owned(), &paging)?;
    let (after, mut limit) = (walk.after(), walk.limit);
    loop {
        let found = api.core.operations.list(limit, after.clone()).await.map_err(|error| walk.problem(error))?;
        // The filter of an action may have many ids. Storage says where a page ends, so one that is too long is read again.
        limit = page::fitting(found.items.iter().map(items::operation::bytes));
        if limit >= found.items.len() {
            return Ok(axum::Json(walk.page(found, OperationView::from)));
        }
    }
}

/// Shows how far an operation is: what a lift, a redrive, an edit of a workflow or a tracked action has set going. Operations
/// are kept for 90 days.
#[operation(
    get, path = "/v1/operations/{id}", tag = "operations", operation_id = "show_operation",
    params(("id" = String, Path, description = "Operation")),
    responses((status = 200, body = OperationView), (status = 404, body = Sent))
)]
async fn show(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<axum::Json<OperationView>, Problem> {
    match api.core.operations.read(&id).await? {
        Some(operation) => Ok(axum::Json(operation.into())),
        None => Err(unknown(&id)),
    }
}

/// Lists the executions or records that a tracked action could not act on, with the reasons, by their ids. Those on which it
/// was carried out are not listed: the history of each execution names the action.
#[operation(
    get, path = "/v1/operations/{id}/results", tag = "operations", operation_id = "list_operation_results",
    params(("id" = String, Path, description = "Operation"), Paging),
    responses((status = 200, body = Listing<ResultView>), (status = 404, body = Sent))
)]
async fn results(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<ResultView>>, Problem> {
    let mut walk = Walk::of(format!("results {id}"), &paging)?;
    let after = walk.after();
    let found = api.core.operations.results(&id, walk.limit, after).await.map_err(|error| walk.problem(error))?;
    if found.items.is_empty() && found.unreadable.is_empty() && api.core.operations.read(&id).await?.is_none() {
        return Err(unknown(&id));
    }
    Ok(axum::Json(walk.page(found, ResultView::from)))
}
