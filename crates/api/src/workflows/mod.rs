//! Workflows: save, show, switch and start.

mod counters;
mod save;
mod schedule;
mod start;
mod switch;
mod view;
mod why_not;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONTENT_TYPE, ETAG};

use crate::describe::operation;
use crate::page::{Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{self, Params, Route};
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};
pub(crate) use start::values;
use view::{Description, HeadView, RefusalView, RevisionView, Whole};

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface
        .on::<__path_list, _, _>(list)
        .on::<save::__path_create, _, _>(save::create)
        .on::<__path_show, _, _>(show)
        .on::<save::__path_replace, _, _>(save::replace)
        .on::<__path_revisions, _, _>(revisions)
        .on::<__path_revision, _, _>(revision)
        .on::<__path_graph, _, _>(graph)
        .on::<__path_description, _, _>(description)
        .on::<__path_refusals, _, _>(refusals)
        .on::<counters::__path_counters, _, _>(counters::counters)
        .on::<schedule::__path_schedule, _, _>(schedule::schedule)
        .on::<why_not::__path_why_not, _, _>(why_not::why_not)
        .on::<switch::__path_activate, _, _>(switch::activate)
        .on::<switch::__path_deactivate, _, _>(switch::deactivate)
        .on::<switch::__path_close_breaker, _, _>(switch::close_breaker)
        .on::<switch::__path_kill, _, _>(switch::kill)
        .on::<switch::__path_lift, _, _>(switch::lift)
        .on::<start::__path_start, _, _>(start::start)
        .on::<save::__path_check, _, _>(save::check)
}

pub(crate) fn unknown(id: &str) -> Problem {
    Problem::new(Code::NoWorkflow, format!("there is no workflow {id:?}"))
}

/// Lists workflows by id.
#[operation(
    get, path = "/v1/workflows", tag = "workflows", operation_id = "list_workflows", params(Paging),
    responses((status = 200, body = Listing<HeadView>))
)]
async fn list(
    State(api): State<Arc<Api>>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<HeadView>>, Problem> {
    let mut walk = Walk::of("workflows".to_owned(), &paging)?;
    let after = walk.after();
    let found = api.core.workflows.list(walk.limit, after).await;
    let found = found.map_err(|error| walk.problem(error))?;
    Ok(axum::Json(walk.page(found, |head| HeadView::from(&head))))
}

/// Shows a workflow with its source.
#[operation(
    get, path = "/v1/workflows/{id}", tag = "workflows", operation_id = "show_workflow",
    params(("id" = String, Path, description = "Workflow")),
    responses(
        (status = 200, body = Whole, headers(("etag", description = "Revision"))), (status = 404, body = Sent)
    )
)]
async fn show(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<Response, Problem> {
    let workflows = &api.core.workflows;
    let (head, plan) = workflows.in_force(&id).await?.ok_or_else(|| unknown(&id))?;
    let revision = workflows.revision(&id, head.revision).await?.ok_or_else(|| unknown(&id))?;
    let whole = Whole::of(&head, &plan, revision.source);
    Ok(([(ETAG, request::tag(head.revision))], axum::Json(whole)).into_response())
}

/// Lists the revisions of a workflow, newest first.
#[operation(
    get, path = "/v1/workflows/{id}/revisions", tag = "workflows", operation_id = "list_revisions",
    params(("id" = String, Path, description = "Workflow"), Paging),
    responses((status = 200, body = Listing<RevisionView>), (status = 404, body = Sent))
)]
async fn revisions(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<RevisionView>>, Problem> {
    let mut walk = Walk::of(format!("revisions {id}"), &paging)?;
    let after = walk.after();
    let found = api.core.workflows.revisions(&id, walk.limit, after).await;
    let found = found.map_err(|error| walk.problem(error))?;
    if found.items.is_empty() && found.unreadable.is_empty() && api.core.workflows.head(&id).await?.is_none() {
        return Err(unknown(&id));
    }
    Ok(axum::Json(walk.page(found, RevisionView::listed)))
}

/// Shows one revision of a workflow.
#[operation(
    get, path = "/v1/workflows/{id}/revisions/{revision}", tag = "workflows", operation_id = "show_revision",
    params(("id" = String, Path, description = "Workflow"), ("revision" = u64, Path, description = "Number, from 1")),
    responses((status = 200, body = RevisionView), (status = 404, body = Sent))
)]
async fn revision(
    State(api): State<Arc<Api>>,
    Route((id, revision)): Route<(String, u64)>,
) -> Result<axum::Json<RevisionView>, Problem> {
    let found = api.core.workflows.revision(&id, revision).await?;
    let missing = || Problem::new(Code::NoRevision, format!("the workflow {id:?} has no revision {revision}"));
    Ok(axum::Json(RevisionView::whole(found.ok_or_else(missing)?)))
}

/// Draws a workflow as a Mermaid flowchart.
#[operation(
    get, path = "/v1/workflows/{id}/graph", tag = "workflows", operation_id = "draw_workflow",
    params(("id" = String, Path, description = "Workflow")),
    responses((status = 200, body = String, content_type = "text/vnd.mermaid"), (status = 404, body = Sent))
)]
async fn graph(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<Response, Problem> {
    let (_, plan) = api.core.workflows.in_force(&id).await?.ok_or_else(|| unknown(&id))?;
    let kind = HeaderValue::from_static("text/vnd.mermaid; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], pawl_definition::mermaid(&plan.workflow)).into_response())
}

/// Tells in plain sentences what a workflow does, when it starts and what it may reach, in Markdown.
#[operation(
    get, path = "/v1/workflows/{id}/description", tag = "workflows", operation_id = "describe_workflow",
    params(("id" = String, Path, description = "Workflow")),
    responses((status = 200, body = Description), (status = 404, body = Sent))
)]
async fn description(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
) -> Result<axum::Json<Description>, Problem> {
    let (_, plan) = api.core.workflows.in_force(&id).await?.ok_or_else(|| unknown(&id))?;
    let text = pawl_definition::told(&plan.workflow);
    Ok(axum::Json(Description { id, revision: plan.revision, text }))
}

/// Lists the starts of a workflow that were refused and its deliveries that were rejected, newest first.
#[operation(
    get, path = "/v1/workflows/{id}/refusals", tag = "workflows", operation_id = "list_refusals",
    params(("id" = String, Path, description = "Workflow"), Paging),
    responses((status = 200, body = Listing<RefusalView>), (status = 404, body = Sent))
)]
async fn refusals(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<RefusalView>>, Problem> {
    // What this process rejected itself is shown at once; where others reject, they write it.
    api.core.ingest.write_rejections().await?;
    let mut walk = Walk::of(format!("refusals {id}"), &paging)?;
    let after = walk.after();
    let found = api.core.history.refusals(&id, walk.limit, after).await.map_err(|error| walk.problem(error))?;
    if found.items.is_empty() && found.unreadable.is_empty() && api.core.workflows.head(&id).await?.is_none() {
        return Err(unknown(&id));
    }
    Ok(axum::Json(walk.page(found, RefusalView::from)))
}
