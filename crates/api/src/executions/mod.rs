//! Executions: list, show, and what people do to them.

mod children;
mod control;
pub(crate) mod filter;
mod fork;
mod list;
mod next;
mod situation;
mod summary;
mod view;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use futures::future::{self, Either};
use jiff::Timestamp;
use pawl_engine::{EventType, Execution};
use pawl_runtime::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use control::{Why, path};
use situation::Situations;
pub(crate) use view::{ActView, RecordName};
use view::{RowView, Whole};

use crate::describe::{IntoParams, ToSchema, operation};
use crate::page::{self, Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// Longest wait for the end of an execution, in seconds: less than what load balancers and browsers allow.
const WAIT_MOST_S: u64 = 60;

/// The pause after the first look for an end; it doubles with each look.
const LOOK_FIRST: Duration = Duration::from_millis(50);

/// The longest pause between two looks.
const LOOK_MOST: Duration = Duration::from_secs(1);

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface
        .on::<list::__path_list, _, _>(list::list)
        .on::<__path_show, _, _>(show)
        .on::<__path_history, _, _>(history)
        .on::<__path_event, _, _>(event)
        .on::<next::__path_next, _, _>(next::next)
        .on::<children::__path_list, _, _>(children::list)
        .on::<fork::__path_fork, _, _>(fork::fork)
        .on::<fork::__path_list, _, _>(fork::list)
        .on::<fork::__path_replay, _, _>(fork::replay)
        .on::<control::__path_pause, _, _>(control::pause)
        .on::<control::__path_resume, _, _>(control::resume)
        .on::<control::__path_cancel, _, _>(control::cancel)
        .on::<control::__path_retry, _, _>(control::retry)
        .on::<control::__path_skip, _, _>(control::skip)
        .on::<control::__path_step, _, _>(control::step)
        .on::<control::__path_run, _, _>(control::run)
        .on::<control::__path_kill, _, _>(control::kill)
        .on::<control::__path_lift, _, _>(control::lift)
}

fn unknown(id: &str) -> Problem {
    Problem::new(Code::NoExecution, format!("there is no execution {id:?}"))
}

/// How an execution is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Look {
    /// Waits up to this many seconds for the end of the execution, 0–60; on AWS at most 25, also if more is given.
    #[param(maximum = 60)]
    wait_s: Option<u64>,
    /// Most rows of history, 1–200; 200 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the previous page of the history.
    cursor: Option<String>,
}

/// Shows an execution with a page of its history.
#[operation(
    get, path = "/v1/executions/{id}", tag = "executions", operation_id = "show_execution",
    params(("id" = String, Path, description = "Execution"), Look),
    responses((status = 200, body = Whole), (status = 404, body = Sent))
)]
async fn show(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(look): Params<Look>,
) -> Result<axum::Json<Whole>, Problem> {
    let execution = match look.wait_s {
        None | Some(0) => api.core.history.execution(&id).await?,
        Some(seconds) => ended(&api, &id, seconds).await?,
    };
    let execution = execution.ok_or_else(|| unknown(&id))?;
    let mut summary = Situations::new(&api).summary(&execution).await?;
    summary.stalled_children(children::stalled(&api, &execution).await?);
    let mut whole = Whole::of(&execution, summary);
    whole.history = Some(rows(&api, &id, &Paging { limit: look.limit, cursor: look.cursor }).await?);
    Ok(axum::Json(whole))
}

/// Waits for the end of an execution, also of one that is still to be made.
async fn ended(api: &Api, id: &str, seconds: u64) -> Result<Option<Execution>, Problem> {
    if seconds > WAIT_MOST_S {
        return Err(Problem::new(Code::BadQuery, format!("expected wait_s from 0 to {WAIT_MOST_S}, found {seconds}")));
    }
    let signal = api.core.completions.of(id);
    let longest = Duration::from_secs(seconds).min(api.options.longest_wait);
    // An executor in this process signals the end at once; the end in another process is found by polling.
    let waited = tokio::time::timeout(longest, future::select(signal, Box::pin(has_ended(api, id)))).await;
    let failed = match waited {
        Ok(Either::Right((ended, _))) => ended.err(),
        Ok(Either::Left(_)) | Err(_) => None,
    };
    api.core.completions.give_up(id);
    failed.map_or(Ok(()), Err)?;
    // It may have gone on while it was waited for.
    Ok(api.core.history.execution(id).await?)
}

/// Looks again and again until an execution has ended.
async fn has_ended(api: &Api, id: &str) -> Result<(), Error> {
    let mut pause = LOOK_FIRST;
    while !api.core.history.has_ended(id).await? {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_MOST);
    }
    Ok(())
}

/// Lists the history of an execution, oldest first.
#[operation(
    get, path = "/v1/executions/{id}/history", tag = "executions", operation_id = "list_history",
    params(("id" = String, Path, description = "Execution"), Paging),
    responses((status = 200, body = Listing<RowView>), (status = 404, body = Sent))
)]
async fn history(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Listing<RowView>>, Problem> {
    let listing = rows(&api, &id, &paging).await?;
    if listing.items.is_empty() && listing.unreadable.is_empty() && api.core.history.execution(&id).await?.is_none() {
        return Err(unknown(&id));
    }
    Ok(axum::Json(listing))
}

async fn rows(api: &Api, id: &str, paging: &Paging) -> Result<Listing<RowView>, Problem> {
    // Most executions fit on one page, and are then read in one piece.
    let paging = Paging { limit: paging.limit.or(Some(page::MOST)), cursor: paging.cursor.clone() };
    let mut walk = Walk::of(format!("history {id}"), &paging)?;
    let after = walk.after();
    let found = api.core.history.rows(id, walk.limit, after).await.map_err(|error| walk.problem(error))?;
    Ok(walk.page(found, RowView::from))
}

/// The event that started an execution, unchanged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView {
    /// Id.
    id: String,
    /// `manual`, `webhook`, `record_created` or `field_updated`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: EventType,
    /// The trigger to which the event was addressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<String>,
    /// The record that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordName>,
    /// Time of the event.
    occurred_at: Timestamp,
    /// The fields that expressions read as `trigger.<name>`.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// Shows the event that started an execution, unchanged.
#[operation(
    get, path = "/v1/executions/{id}/event", tag = "executions", operation_id = "show_event",
    params(("id" = String, Path, description = "Execution")),
    responses((status = 200, body = EventView), (status = 404, body = Sent))
)]
async fn event(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<axum::Json<EventView>, Problem> {
    let event = api.core.history.event(&id).await?.ok_or_else(|| unknown(&id))?;
    Ok(axum::Json(EventView {
        id: event.id,
        kind: event.kind,
        trigger: event.trigger,
        record: event.subject.as_ref().map(RecordName::from),
        occurred_at: event.occurred_at,
        data: event.data,
    }))
}
