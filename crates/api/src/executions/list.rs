//! The listing of executions.
//!
//! Executions are read newest first from one partition (of a workflow, of a record) or from several, one a state, merged
//! by time. A filter may fit few of them: a request looks at a bounded number, and says how far it looked. Those of one
//! workflow in some states are looked for in both ways by turns: the few failed ones among many of a workflow stand
//! together by their state, and the few of a workflow among many failed ones by their workflow.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::Execution;
use pawl_runtime::{ListScope, Selection, items};
use serde::{Deserialize, Serialize};

use super::filter::{self, Which};
use super::situation::Situations;
use super::summary::Summary;
use crate::Problem;
use crate::describe::operation;
use crate::page::{self, Listing, UnreadableItem};
use crate::problem::Sent;
use crate::request::Params;
use crate::state::Api;

/// Most executions that one request looks at: on SQLite under a second, on `DynamoDB` 200 reads of 100 items.
const LOOKED_MOST: usize = 20_000;

/// Executions that one of two searches looks at before the other has its turn.
const TURN: usize = page::MOST;

/// A request that looked so long answers with what it has.
const LOOKED_LONGEST: SignedDuration = SignedDuration::from_secs(2);

/// Lists executions, newest first.
#[operation(
    get, path = "/v1/executions", tag = "executions", operation_id = "list_executions", params(Which),
    responses((status = 200, body = Listing<Summary>), (status = 400, body = Sent), (status = 404, body = Sent))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Params(which): Params<Which>,
) -> Result<axum::Json<Listing<Summary>>, Problem> {
    let filter = filter::selection(which.keys(), api.core.ingest.now())?;
    // As it is written: an age is the same filter on each page.
    let name = format!("executions {:?}", which.keys());
    let limit = page::limit(which.limit)?;
    let place: Option<Place> = page::open(&name, which.cursor.as_deref())?;
    filter::there(&api, &filter).await?;
    let searches = ways(&filter).into_iter().map(|scopes| Search::new((&api, &filter), scopes, limit, place.clone()));
    let done = first_done(&api, searches.collect()).await?;
    Ok(axum::Json(done.listing(&name)))
}

/// Where a listing stands: after this execution, also if its state has changed since. Times are as indexes have them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    at: String,
    id: String,
}

impl Place {
    fn of(execution: &Execution) -> Self {
        Self { at: items::sortable(execution.created_at), id: execution.id.clone() }
    }
}

/// Executions of one partition, newest first, read as they are needed.
struct Source {
    scope: ListScope,
    read: VecDeque<Execution>,
    cursor: Option<String>,
    is_over: bool,
}

/// The partitions that hold all that a filter may fit: one way, or two of which nobody knows the shorter.
fn ways(filter: &Selection) -> Vec<Vec<ListScope>> {
    let by_state = || filter.partitions().map(ListScope::Partition).collect();
    match (&filter.record, &filter.workflow) {
        (Some(record), _) => vec![vec![ListScope::Record(record.clone())]],
        (None, Some(workflow)) if filter.states.is_empty() => vec![vec![ListScope::Workflow(workflow.clone())]],
        (None, Some(workflow)) => vec![vec![ListScope::Workflow(workflow.clone())], by_state()],
        (None, None) => vec![by_state()],
    }
}

/// Lets searches for the same page look by turns, until one has a full page, or nothing left, or the bound of work is
/// reached. Then the one counts that came farthest.
async fn first_done<'a>(api: &Api, mut searches: Vec<Search<'a>>) -> Result<Search<'a>, Problem> {
    let now = || api.core.ingest.now();
    let began = now();
    loop {
        for at in 0..searches.len() {
            if searches[at].advance().await? {
                return Ok(searches.swap_remove(at));
            }
        }
        let looked: usize = searches.iter().map(|search| search.looked).sum();
        if looked >= LOOKED_MOST || now().duration_since(began) >= LOOKED_LONGEST {
            let farthest = searches.into_iter().min_by_key(|search| search.looked_until);
            let mut farthest = farthest.expect("there is one way at least");
            farthest.has_more = true;
            return Ok(farthest);
        }
    }
}

/// A search for the next page.
struct Search<'a> {
    api: &'a Api,
    filter: &'a Selection,
    limit: usize,
    sources: Vec<Source>,
    /// What one read asks for; it stays the same while a partition is read.
    range: pawl_runtime::Filter,
    page: usize,
    start: Option<Place>,
    /// The last execution that was looked at.
    place: Option<Place>,
    looked_until: Option<Timestamp>,
    looked: usize,
    seen: BTreeSet<String>,
    situations: Situations<'a>,
    found: Vec<Summary>,
    unreadable: BTreeSet<UnreadableItem>,
    has_more: bool,
}

impl<'a> Search<'a> {
    fn new(
        (api, filter): (&'a Api, &'a Selection),
        scopes: Vec<ListScope>,
        limit: usize,
        place: Option<Place>,
    ) -> Self {
        let source = |scope| Source { scope, read: VecDeque::new(), cursor: None, is_over: false };
        Self {
            api,
            filter,
            limit,
            sources: scopes.into_iter().map(source).collect(),
            range: range(filter, place.as_ref()),
            page: if filter::leaves_out(filter) { page::MOST } else { limit + 1 },
            start: place.clone(),
            place,
            looked_until: None,
            looked: 0,
            seen: BTreeSet::new(),
            situations: Situations::new(api),
            found: Vec::new(),
            unreadable: BTreeSet::new(),
            has_more: false,
        }
    }

    /// Looks at some more; says whether the page is full, or nothing is left.
    async fn advance(&mut self) -> Result<bool, Problem> {
        for _ in 0..TURN {
            self.refill().await?;
            let newest = self.sources.iter().filter_map(|source| source.read.front().map(Place::of)).max();
            let Some(newest) = newest else { return Ok(true) };
            if self.found.len() == self.limit {
                self.has_more = true;
                return Ok(true);
            }
            let execution = self
                .sources
                .iter_mut()
                .find_map(|source| source.read.pop_front_if(|execution| Place::of(execution) == newest));
            let Some(execution) = execution else { return Ok(true) };
            self.looked += 1;
            self.looked_until = Some(execution.created_at);
            self.place = Some(newest);
            // One that changed its state between two of the reads is found twice.
            if self.seen.insert(execution.id.clone()) && self.filter.fits(&execution) {
                let summary = self.situations.summary(&execution).await?;
                // A kill of the workflow or of everything stands in no head.
                if self.filter.indicator.is_none_or(|indicator| summary.has(indicator.as_str())) {
                    self.found.push(summary);
                }
            }
        }
        Ok(false)
    }

    /// Reads on in every partition of which nothing is left to look at.
    async fn refill(&mut self) -> Result<(), Problem> {
        for source in &mut self.sources {
            while source.read.is_empty() && !source.is_over {
                let cursor = source.cursor.take();
                let page = self.api.core.history.executions(&source.scope, &self.range, self.page, cursor).await?;
                let start = self.start.as_ref();
                let is_fresh = |execution: &Execution| start.is_none_or(|start| Place::of(execution) < *start);
                source.read.extend(page.items.into_iter().filter(is_fresh));
                self.unreadable.extend(page.unreadable.into_iter().map(UnreadableItem::from));
                source.cursor = page.next;
                source.is_over = source.cursor.is_none();
            }
        }
        Ok(())
    }

    fn listing(self, name: &str) -> Listing<Summary> {
        let next = self.place.filter(|_| self.has_more).map(|place| page::seal(name, place));
        let is_full = self.found.len() == self.limit;
        let looked_until = self.looked_until.filter(|_| self.has_more && !is_full);
        Listing { items: self.found, next, unreadable: self.unreadable.into_iter().collect(), looked_until }
    }
}

/// The time range of a search that goes on after a place. Others of the same time may follow the place: the bound is a
/// little later, and what stands before is left out.
fn range(filter: &Selection, start: Option<&Place>) -> pawl_runtime::Filter {
    let bound = start.and_then(|place| place.at.parse::<Timestamp>().ok());
    let bound = bound.and_then(|at| at.checked_add(SignedDuration::from_micros(1)).ok());
    let until = [bound, filter.until].into_iter().flatten().min();
    pawl_runtime::Filter { since: filter.since, until, ..pawl_runtime::Filter::default() }
}
