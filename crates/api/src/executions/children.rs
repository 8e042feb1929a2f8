//! The executions that the steps of an execution have started.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use pawl_engine::steps::{awaited_children, children_of_row};
use pawl_engine::{Execution, Row};
use serde::Serialize;

use super::situation::Situations;
use super::summary::Summary;
use super::unknown;
use crate::Problem;
use crate::describe::{ToSchema, operation};
use crate::page::{self, Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;

/// The execution that started another one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Parent)]
pub(crate) struct ParentView {
    /// Id.
    execution: String,
    /// The step that started it.
    step: String,
    /// Visit of the step.
    visit: u32,
    /// The step waits for its end: a pause, a kill and a cancel of the parent concern it too.
    waits: bool,
}

impl ParentView {
    pub(super) fn of(execution: &Execution) -> Option<Self> {
        let parent = execution.parent.as_ref()?;
        let (execution, step) = (parent.by.execution.clone(), parent.by.address.step().to_owned());
        Some(Self { execution, step, visit: parent.by.visit, waits: parent.waits })
    }
}

/// An execution that a step of another one started.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Child)]
pub(crate) struct ChildView {
    /// The step.
    step: String,
    /// Visit of the step.
    visit: u32,
    #[serde(flatten)]
    summary: Summary,
}

/// Lists the executions that the steps of an execution have started, in the order of its history. A page is one of the
/// history, so it may be empty although another one follows; an execution that is waited for may be on two pages.
#[operation(
    get, path = "/v1/executions/{id}/children", tag = "executions", operation_id = "list_children",
    params(("id" = String, Path, description = "Execution"), Paging),
    responses((status = 200, body = Listing<ChildView>), (status = 404, body = Sent))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<ChildView>>, Problem> {
    let parent = api.core.history.execution(&id).await?.ok_or_else(|| unknown(&id))?;
    let paging = Paging { limit: paging.limit.or(Some(page::MOST)), cursor: paging.cursor };
    let mut walk = Walk::of(format!("children {id}"), &paging)?;
    let after = walk.after();
    let rows = api.core.history.rows(&id, walk.limit, after).await.map_err(|error| walk.problem(error))?;
    let mut named = named(&rows.items);
    if rows.next.is_none() {
        named.extend(in_progress(&parent));
    }
    let mut seen = BTreeSet::new();
    named.retain(|child| seen.insert(child.execution.clone()));
    let mut situations = Situations::new(&api);
    let mut items = Vec::new();
    for Named { step, visit, execution } in named {
        // One that has expired is not there any more, and one of a call that failed may never have been there.
        if let Some(child) = api.core.history.execution(&execution).await? {
            items.push(ChildView { step, visit, summary: situations.summary(&child).await? });
        }
    }
    let found = pawl_runtime::Listed { items, next: rows.next, unreadable: rows.unreadable };
    Ok(axum::Json(walk.page(found, |child| child)))
}

/// How many of the children that an execution waits for are stalled.
pub(super) async fn stalled(api: &Api, execution: &Execution) -> Result<usize, Problem> {
    let mut stalled = 0;
    for child in awaited_children(execution) {
        let child = api.core.history.execution(&child).await?;
        stalled += usize::from(child.is_some_and(|child| child.stalled));
    }
    Ok(stalled)
}

struct Named {
    step: String,
    visit: u32,
    execution: String,
}

fn named(rows: &[Row]) -> Vec<Named> {
    let of_row = |row: &Row| {
        let (step, visit) = (row.step.clone().unwrap_or_default(), row.visit.unwrap_or_default());
        let named =
            move |listed: pawl_engine::steps::Listed| Named { step: step.clone(), visit, execution: listed.execution };
        children_of_row(row).into_iter().map(named).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_row).collect()
}

/// Those of the step at the cursor, of which no row tells while its call is in progress.
fn in_progress(parent: &Execution) -> Vec<Named> {
    let step = parent.cursor.clone().unwrap_or_default();
    let visit = parent.steps.get(&step).map_or(0, |state| state.visit);
    let named = |execution| Named { step: step.clone(), visit, execution };
    awaited_children(parent).into_iter().map(named).collect()
}
