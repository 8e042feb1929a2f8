//! The listing of executions.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Execution, Status, Subject};
use pawl_runtime::{Among, Filter, Listed, Shelf};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::killed;
use super::view::Summary;
use crate::page::{self, Listing, Paging, UnreadableItem, Walk};
use crate::problem::Sent;
use crate::request::Params;
use crate::state::Api;
use crate::{Code, Problem};

/// All states.
const STATES: [Status; 7] = [
    Status::Queued,
    Status::Running,
    Status::Waiting,
    Status::Paused,
    Status::Completed,
    Status::Canceled,
    Status::Failed,
];

/// Which executions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Of this workflow.
    workflow: Option<String>,
    /// On this record, `<object>/<id>`.
    record: Option<String>,
    /// In this state.
    status: Option<String>,
    /// Made at this time or later, RFC 3339.
    since: Option<Timestamp>,
    /// Made before this time, RFC 3339.
    until: Option<Timestamp>,
    /// Most entries, 1–200; 50 if absent. A page may have fewer although more follow.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists executions, newest first.
#[utoipa::path(
    get, path = "/v1/executions", tag = "executions", operation_id = "list_executions", params(Which),
    responses((status = 200, body = Listing<Summary>), (status = 400, body = Sent))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Params(which): Params<Which>,
) -> Result<axum::Json<Listing<Summary>>, Problem> {
    let (among, filter) = (among(&which)?, filter(&which)?);
    let name = format!("executions {among:?} {filter:?}");
    let Some(among) = among else {
        return Ok(axum::Json(merged(&api, &filter, &which, &name).await?));
    };
    let mut walk = Walk::of(name, &Paging { limit: which.limit, cursor: which.cursor })?;
    let after = walk.after();
    let found = api.system.history.executions(&among, &filter, walk.limit, after).await;
    let found = found.map_err(|error| walk.problem(error))?;
    let items = summaries(&api, &found.items).await?;
    Ok(axum::Json(walk.page(Listed { items, next: found.next, unreadable: found.unreadable }, |summary| summary)))
}

async fn summaries(api: &Api, executions: &[Execution]) -> Result<Vec<Summary>, Problem> {
    let mut summaries: Vec<_> = executions.iter().map(Summary::from).collect();
    killed::show(api, summaries.iter_mut()).await?;
    Ok(summaries)
}

/// Those of a record or of a workflow; none is all.
fn among(which: &Which) -> Result<Option<Among>, Problem> {
    let Some(record) = which.record.as_deref() else { return Ok(which.workflow.clone().map(Among::Workflow)) };
    match record.split_once('/') {
        Some((object, id)) if !object.is_empty() && !id.is_empty() => {
            Ok(Some(Among::Record(Subject { object: object.to_owned(), id: id.to_owned() })))
        }
        _ => Err(Problem::new(Code::BadQuery, format!("expected record as <object>/<id>, found {record:?}"))),
    }
}

fn filter(which: &Which) -> Result<Filter, Problem> {
    let status = which.status.as_deref().map(|word| {
        let words = || STATES.map(Status::as_str).join(", ");
        let known = STATES.into_iter().find(|status| status.as_str() == word);
        known.ok_or_else(|| {
            Problem::new(Code::BadQuery, format!("expected status as one of {}, found {word:?}", words()))
        })
    });
    Ok(Filter { workflow: which.workflow.clone(), status: status.transpose()?, since: which.since, until: which.until })
}

/// Where a merged listing stands: after this execution. It holds whatever state that is in by now.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    at: Timestamp,
    id: String,
}

impl Place {
    fn of(execution: &Execution) -> Self {
        Self { at: execution.created_at, id: execution.id.clone() }
    }
}

/// Executions of all workflows: their shelves are read beside each other and merged by time.
async fn merged(api: &Api, filter: &Filter, which: &Which, name: &str) -> Result<Listing<Summary>, Problem> {
    let limit = page::limit(which.limit)?;
    let place: Option<Place> = page::open(name, which.cursor.as_deref())?;
    let (mut found, mut unreadable) = (Vec::new(), BTreeSet::new());
    for shelf in Shelf::ALL.into_iter().filter(|shelf| filter.status.is_none_or(|status| shelf.may_hold(status))) {
        let beside = after(api, filter, shelf, place.as_ref(), limit + 1).await?;
        found.extend(beside.items);
        unreadable.extend(beside.unreadable.into_iter().map(UnreadableItem::from));
    }
    found.sort_by_key(|execution| Reverse(Place::of(execution)));
    // One that changed its state between two of the reads is found twice.
    found.dedup_by(|a, b| a.id == b.id);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| page::seal(name, Place::of(last)));
    Ok(Listing { items: summaries(api, &found).await?, next, unreadable: unreadable.into_iter().collect() })
}

/// The newest executions on a shelf after a place.
async fn after(
    api: &Api,
    filter: &Filter,
    shelf: Shelf,
    place: Option<&Place>,
    limit: usize,
) -> Result<Listed<Execution>, Problem> {
    // Others of the same time may follow the place: the bound is a little later, and what stands before is left out.
    let bound = place.map(|place| place.at.saturating_add(SignedDuration::from_micros(1)).unwrap_or(place.at));
    let until = [bound, filter.until].into_iter().flatten().min();
    let (among, filter) = (Among::Shelf(shelf), Filter { until, ..filter.clone() });
    let mut found = Listed { items: Vec::new(), next: None, unreadable: Vec::new() };
    let mut cursor = None;
    loop {
        let page = api.system.history.executions(&among, &filter, page::MOST, cursor).await?;
        let fresh = |execution: &Execution| place.is_none_or(|place| Place::of(execution) < *place);
        found.items.extend(page.items.into_iter().filter(fresh));
        found.unreadable.extend(page.unreadable);
        cursor = page.next;
        if found.items.len() >= limit || cursor.is_none() {
            found.items.truncate(limit);
            return Ok(found);
        }
    }
}
