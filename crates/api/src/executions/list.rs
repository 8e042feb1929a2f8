//! The listing of executions.
//!
//! Executions are read newest first from one partition (of a workflow, of a record) or from several, one a state, merged
//! by time. A filter may fit few of them: a request looks at a bounded number, and says how far it looked.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::Execution;
use pawl_runtime::{ListScope, StatePartition, items};
use serde::{Deserialize, Serialize};

use super::filter::{Filter, Which};
use super::situation::Situations;
use super::summary::Summary;
use crate::page::{self, Listing, UnreadableItem};
use crate::problem::Sent;
use crate::request::Params;
use crate::state::Api;
use crate::{Code, Problem};

/// Most executions that one request looks at: on SQLite under a second, on `DynamoDB` 200 reads of 100 items.
const LOOKED_MOST: usize = 20_000;

/// A request that looked so long answers with what it has.
const LOOKED_LONGEST: SignedDuration = SignedDuration::from_secs(2);

/// Lists executions, newest first.
#[utoipa::path(
    get, path = "/v1/executions", tag = "executions", operation_id = "list_executions", params(Which),
    responses((status = 200, body = Listing<Summary>), (status = 400, body = Sent), (status = 404, body = Sent))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Params(which): Params<Which>,
) -> Result<axum::Json<Listing<Summary>>, Problem> {
    let filter = Filter::of(&which)?;
    let name = format!("executions {filter:?}");
    let limit = page::limit(which.limit)?;
    let place: Option<Place> = page::open(&name, which.cursor.as_deref())?;
    there(&api, &filter).await?;
    let mut search = Search::new(&api, &filter, limit, place);
    search.run().await?;
    Ok(axum::Json(search.listing(&name)))
}

/// Whether the workflow and the object exist that a filter names: a word that is misspelt is no empty list.
async fn there(api: &Api, filter: &Filter) -> Result<(), Problem> {
    if let Some(workflow) = &filter.workflow
        && api.system.workflows.head(workflow).await?.is_none()
    {
        return Err(Problem::new(Code::NoWorkflow, format!("there is no workflow {workflow:?}")));
    }
    if let Some(record) = &filter.record
        && !api.system.workflows.objects().await?.contains_key(&record.object)
    {
        return Err(Problem::new(Code::NoObject, format!("there is no object {:?}", record.object)));
    }
    Ok(())
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

/// A search for the next page.
struct Search<'a> {
    api: &'a Api,
    filter: &'a Filter,
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
    found: Vec<Summary>,
    unreadable: BTreeSet<UnreadableItem>,
    has_more: bool,
}

impl<'a> Search<'a> {
    fn new(api: &'a Api, filter: &'a Filter, limit: usize, place: Option<Place>) -> Self {
        let partitions = || {
            let may_hold = |partition: &StatePartition| filter.states.iter().any(|state| partition.may_hold(*state));
            let asked =
                StatePartition::ALL.into_iter().filter(|partition| filter.states.is_empty() || may_hold(partition));
            asked.map(ListScope::Partition).collect()
        };
        let scopes = match (&filter.record, &filter.workflow) {
            (Some(record), _) => vec![ListScope::Record(record.clone())],
            (None, Some(workflow)) => vec![ListScope::Workflow(workflow.clone())],
            (None, None) => partitions(),
        };
        let source = |scope| Source { scope, read: VecDeque::new(), cursor: None, is_over: false };
        let sources = scopes.into_iter().map(source).collect();
        let page = if filter.leaves_out() { page::MOST } else { limit + 1 };
        let (looked_until, looked, found, unreadable, has_more) = (None, 0, Vec::new(), BTreeSet::new(), false);
        let range = range(filter, place.as_ref());
        let start = place.clone();
        Self {
            api,
            filter,
            limit,
            sources,
            range,
            page,
            start,
            place,
            looked_until,
            looked,
            found,
            unreadable,
            has_more,
        }
    }

    /// Looks until the page is full, nothing is left, or the bound of work is reached.
    async fn run(&mut self) -> Result<(), Problem> {
        let now = || self.api.system.ingest.now();
        let began = now();
        let mut situations = Situations::new(self.api);
        let mut seen = BTreeSet::new();
        loop {
            self.refill().await?;
            let newest = self.sources.iter().filter_map(|source| source.read.front().map(Place::of)).max();
            let Some(newest) = newest else { return Ok(()) };
            let is_late = || self.api.system.ingest.now().duration_since(began) >= LOOKED_LONGEST;
            if self.found.len() == self.limit || self.looked >= LOOKED_MOST || is_late() {
                self.has_more = true;
                return Ok(());
            }
            let execution = self
                .sources
                .iter_mut()
                .find_map(|source| source.read.pop_front_if(|execution| Place::of(execution) == newest));
            let Some(execution) = execution else { return Ok(()) };
            self.looked += 1;
            self.looked_until = Some(execution.created_at);
            self.place = Some(newest);
            // One that changed its state between two of the reads is found twice.
            if seen.insert(execution.id.clone()) && self.filter.fits(&execution) {
                let summary = situations.summary(&execution).await?;
                if self.filter.indicator().is_none_or(|indicator| summary.has(indicator)) {
                    self.found.push(summary);
                }
            }
        }
    }

    /// Reads on in every partition of which nothing is left to look at.
    async fn refill(&mut self) -> Result<(), Problem> {
        for source in &mut self.sources {
            while source.read.is_empty() && !source.is_over {
                let cursor = source.cursor.take();
                let page = self.api.system.history.executions(&source.scope, &self.range, self.page, cursor).await?;
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
fn range(filter: &Filter, start: Option<&Place>) -> pawl_runtime::Filter {
    let bound = start.and_then(|place| place.at.parse::<Timestamp>().ok());
    let bound = bound.and_then(|at| at.checked_add(SignedDuration::from_micros(1)).ok());
    let until = [bound, filter.until].into_iter().flatten().min();
    pawl_runtime::Filter { since: filter.since, until, ..pawl_runtime::Filter::default() }
}
