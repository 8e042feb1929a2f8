//! Executions as people look at them: lists, one with its history, refusals, notices.

use std::sync::Arc;

use jiff::Timestamp;
use pawl_engine::{Event, Execution, Row, Status, Subject};

use crate::items::audit::Entry;
use crate::items::refusal::Refusal;
use crate::ports::{Blobs, Consistency, Index, Notice, Query, SortRange, Table, Tables};
use crate::{Error, items, spill};

/// Most pages that one listing reads to fill itself when it filters.
const PAGES: usize = 10;

/// Reads executions and what stands beside them.
pub struct History {
    tables: Arc<dyn Tables>,
    blobs: Arc<dyn Blobs>,
}

/// Which executions are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this workflow.
    pub workflow: Option<String>,
    /// On this record.
    pub record: Option<Subject>,
    /// In this state.
    pub status: Option<Status>,
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// Made before this time.
    pub until: Option<Timestamp>,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

impl History {
    /// Over these ports.
    pub fn new(tables: Arc<dyn Tables>, blobs: Arc<dyn Blobs>) -> Self {
        Self { tables, blobs }
    }

    /// Lists executions, newest first. Without workflow, record and status there is no index to read; the
    /// states are then read one after the other by the caller.
    pub async fn executions(
        &self,
        filter: &Filter,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<Execution>, Error> {
        let (index, partition) = match (&filter.record, &filter.workflow, filter.status) {
            (Some(record), _, _) => (Index::Second, items::execution::of_record(record)),
            (_, Some(workflow), _) => (Index::First, items::execution::of_workflow(workflow)),
            (_, _, status) => (Index::Third, items::execution::of_status(status.unwrap_or(Status::Running))),
        };
        let mut query = Query {
            table: items::execution::TABLE,
            index: Some(index),
            partition,
            range: range(filter),
            newest_first: true,
            limit,
            after,
            consistency: Consistency::Eventual,
        };
        let mut found = Vec::new();
        for _ in 0..PAGES {
            query.limit = limit - found.len();
            let page = self.tables.query(&query).await?;
            for item in &page.items {
                let execution = items::execution::parse(item)?;
                if fits(&execution, filter) {
                    found.push(execution);
                }
            }
            query.after = page.next;
            if query.after.is_none() || found.len() >= limit {
                break;
            }
        }
        Ok(Listed { items: found, next: query.after })
    }

    /// One execution, with large values brought back.
    pub async fn execution(&self, id: &str) -> Result<Option<Execution>, Error> {
        let item = self.tables.get(items::execution::TABLE, &items::execution::key(id), Consistency::Eventual).await?;
        let Some(item) = item else { return Ok(None) };
        let mut execution = items::execution::parse(&item)?;
        spill::restore_execution(&*self.blobs, &mut execution).await?;
        Ok(Some(execution))
    }

    /// The event that started an execution.
    pub async fn event(&self, execution: &str) -> Result<Option<Event>, Error> {
        let item = self.tables.get(items::event::TABLE, &items::event::key(execution), Consistency::Eventual).await?;
        let Some(item) = item else { return Ok(None) };
        let mut event = items::event::parse(&item)?;
        spill::restore_event(&*self.blobs, &mut event).await?;
        Ok(Some(event))
    }

    /// The rows of an execution, oldest first, from a transition on.
    pub async fn rows(&self, execution: &str, limit: usize, after: Option<String>) -> Result<Listed<Row>, Error> {
        let query = Query {
            table: items::history::TABLE,
            index: None,
            partition: items::history::partition(execution),
            range: SortRange::Prefix(items::history::PREFIX.to_owned()),
            newest_first: false,
            limit,
            after,
            consistency: Consistency::Eventual,
        };
        let page = self.tables.query(&query).await?;
        let mut rows = Vec::new();
        for item in &page.items {
            let mut row = items::history::parse(item)?;
            spill::restore_row(&*self.blobs, &mut row).await?;
            rows.push(row);
        }
        Ok(Listed { items: rows, next: page.next })
    }

    /// The starts of a workflow that were refused, newest first.
    pub async fn refusals(
        &self,
        workflow: &str,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<Refusal>, Error> {
        let index = Some(Index::First);
        let query = newest(items::refusal::TABLE, items::refusal::partition(workflow), limit, after);
        let query = Query { index, ..query };
        let page = self.tables.query(&query).await?;
        let items = page.items.iter().map(items::refusal::parse).collect::<Result<_, _>>()?;
        Ok(Listed { items, next: page.next })
    }

    /// Notices, newest first.
    pub async fn notices(&self, limit: usize, after: Option<String>) -> Result<Listed<Notice>, Error> {
        let query = newest(items::notice::TABLE, items::notice::PARTITION.to_owned(), limit, after);
        let page = self.tables.query(&query).await?;
        let items = page.items.iter().map(items::notice::parse).collect::<Result<_, _>>()?;
        Ok(Listed { items, next: page.next })
    }
}

impl History {
    /// Who used the kill switches, newest first.
    pub async fn audit(&self, limit: usize, after: Option<String>) -> Result<Listed<Entry>, Error> {
        let query = newest(items::audit::TABLE, items::audit::PARTITION.to_owned(), limit, after);
        let page = self.tables.query(&query).await?;
        let items = page.items.iter().map(items::audit::parse).collect::<Result<_, _>>()?;
        Ok(Listed { items, next: page.next })
    }
}

fn newest(table: Table, partition: String, limit: usize, after: Option<String>) -> Query {
    let range = SortRange::All;
    Query { table, index: None, partition, range, newest_first: true, limit, after, consistency: Consistency::Eventual }
}

fn range(filter: &Filter) -> SortRange {
    if filter.since.is_none() && filter.until.is_none() {
        return SortRange::All;
    }
    let from = filter.since.map_or_else(|| "0".to_owned(), items::sortable);
    // Sort keys continue with `#`, so the bound itself is before all of its time: `until` is left out.
    let to = filter.until.map_or_else(|| "9".to_owned(), items::sortable);
    SortRange::Between(from, to)
}

fn fits(execution: &Execution, filter: &Filter) -> bool {
    let workflow = filter.workflow.as_ref().is_none_or(|workflow| *workflow == execution.workflow);
    workflow && filter.status.is_none_or(|status| status == execution.status)
}
