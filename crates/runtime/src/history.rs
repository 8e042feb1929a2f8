//! Executions as people look at them: lists, one with its history, refusals, notices.

use std::ops::RangeInclusive;
use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;
use pawl_definition::json;
use pawl_engine::{Event, Execution, Row, Status, Subject};

use crate::items::Unreadable;
use crate::items::audit::Entry;
use crate::items::refusal::Refusal;
use crate::ports::{BlobOwner, Blobs, Consistency, Index, Item, Notice, Query, SortRange, TableError, Tables};
use crate::{Error, UnreadableItems, events, items, offload};

/// Most pages that one listing reads to fill itself when it filters.
const PAGES: usize = 10;

/// Reads executions and what stands beside them.
pub struct History {
    pub(crate) tables: Arc<dyn Tables>,
    blobs: Arc<dyn Blobs>,
    pub(crate) unreadable: Arc<UnreadableItems>,
}

/// Most bytes of values on a page of rows, but for a page of one row. A function's answer has at most 6 MB, in which the
/// quotes of its body are escaped.
const ROWS_BYTES: usize = 2 * 1024 * 1024;

/// Among which executions a listing looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListScope {
    /// Those on a record.
    Record(Subject),
    /// Those of a workflow.
    Workflow(String),
    /// Those on a partition. Whoever wants all of them reads the partitions beside each other.
    Partition(StatePartition),
}

/// Which executions are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this workflow.
    pub workflow: Option<String>,
    /// In this state.
    pub status: Option<Status>,
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// Made before this time.
    pub until: Option<Timestamp>,
}

/// Where executions stand by state. Those that are queued or running and due at once, or at work, stand apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatePartition {
    /// Queued or running, and on the move.
    Moving,
    /// In this state, and not on the move.
    At(Status),
}

impl StatePartition {
    /// All of them: each execution stands on one.
    pub const ALL: [Self; 8] = [
        Self::Moving,
        Self::At(Status::Queued),
        Self::At(Status::Running),
        Self::At(Status::Waiting),
        Self::At(Status::Paused),
        Self::At(Status::Completed),
        Self::At(Status::Canceled),
        Self::At(Status::Failed),
    ];

    /// Whether executions in this state may stand on it.
    pub fn may_hold(self, status: Status) -> bool {
        match self {
            Self::Moving => matches!(status, Status::Queued | Status::Running | Status::Waiting),
            Self::At(at) => at == status,
        }
    }

    pub(crate) fn partition(self) -> String {
        match self {
            Self::Moving => items::execution::MOVING.to_owned(),
            Self::At(status) => items::execution::of_status(status),
        }
    }
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Cursor of the next page.
    pub next: Option<String>,
    /// Items in the place of this page that cannot be read. Which of them fit a filter, nobody knows.
    pub unreadable: Vec<Unreadable>,
}

/// Rows as they are stored.
pub(crate) struct StoredRows {
    pub(crate) rows: Vec<Row>,
    /// The numbers that there should be.
    seqs: RangeInclusive<u64>,
    pub(crate) unreadable: Vec<Unreadable>,
    /// The number of the last row in the last item that cannot be read.
    pub(crate) last_unreadable: Option<u64>,
}

impl StoredRows {
    fn none() -> Self {
        Self { rows: Vec::new(), seqs: RangeInclusive::new(1, 0), unreadable: Vec::new(), last_unreadable: None }
    }
}

impl History {
    /// Over these ports.
    pub fn new(tables: Arc<dyn Tables>, blobs: Arc<dyn Blobs>, unreadable: Arc<UnreadableItems>) -> Self {
        Self { tables, blobs, unreadable }
    }

    /// Lists executions, newest first.
    #[boxed]
    pub async fn executions(
        &self,
        scope: &ListScope,
        filter: &Filter,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<Execution>, Error> {
        let (index, partition) = match scope {
            ListScope::Record(record) => (Index::Gsi2, items::execution::of_record(record)),
            ListScope::Workflow(workflow) => (Index::Gsi1, items::execution::of_workflow(workflow)),
            ListScope::Partition(place) => (Index::Gsi3, place.partition()),
        };
        let query = Query::of_index(items::execution::TABLE, index, partition).range(range(filter));
        let mut query = query.newest_first().after(after);
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for _ in 0..PAGES {
            query.limit = limit - found.len();
            let page = self.tables.query(&query).await?;
            let (read, unread) = self.unreadable.read(&page.items, items::execution::parse);
            found.extend(read.into_iter().flatten().filter(|execution| fits(execution, filter)));
            unreadable.extend(unread);
            query.after = page.next;
            if query.after.is_none() || found.len() >= limit {
                break;
            }
        }
        Ok(Listed { items: found, next: query.after, unreadable })
    }

    /// One execution, with large values brought back.
    #[boxed]
    pub async fn execution(&self, id: &str) -> Result<Option<Execution>, Error> {
        let item = self.tables.get(items::execution::TABLE, &items::execution::key(id), Consistency::Eventual).await?;
        let Some(mut execution) = item.as_ref().map(items::execution::parse).transpose()?.flatten() else {
            return Ok(None);
        };
        offload::restore_execution(&*self.blobs, &mut execution).await?;
        Ok(Some(execution))
    }

    /// Whether an execution is there and has ended.
    #[boxed]
    pub async fn has_ended(&self, id: &str) -> Result<bool, Error> {
        let item = self.tables.get(items::execution::TABLE, &items::execution::key(id), Consistency::Eventual).await?;
        let execution = item.as_ref().map(items::execution::parse).transpose()?.flatten();
        Ok(execution.is_some_and(|execution| execution.status.is_ended()))
    }

    /// The event that started an execution.
    #[boxed]
    pub async fn event(&self, execution: &str) -> Result<Option<Event>, Error> {
        let key = items::execution::key(execution);
        let Some(item) = self.tables.get(items::execution::TABLE, &key, Consistency::Eventual).await? else {
            return Ok(None);
        };
        let Some(head) = items::execution::parse_head(&item)? else { return Ok(None) };
        events::of((&*self.tables, &*self.blobs), (&item, head.event.as_ref()), Consistency::Eventual).await
    }

    /// The rows of an execution, oldest first. The cursor is the number of the last row that was seen.
    #[boxed]
    pub async fn rows(&self, execution: &str, limit: usize, after: Option<String>) -> Result<Listed<Row>, Error> {
        let from = after.map(|cursor| next_seq(&cursor)).transpose()?.unwrap_or(0);
        let mut found = self.stored_rows(execution, from, limit, Consistency::Eventual).await?;
        if !found.rows.iter().map(|row| row.seq).eq(found.seqs.clone().take(limit)) {
            // What a commit wrote together was not all to be seen yet.
            found = self.stored_rows(execution, from, limit, Consistency::Strong).await?;
        }
        let StoredRows { mut rows, seqs, mut unreadable, last_unreadable } = found;
        let (mut restored, mut bytes) = (0, 0);
        for row in &mut rows {
            match offload::restore_row(&*self.blobs, execution, row).await {
                Err(Error::Unreadable(error)) => {
                    self.unreadable.pass_over(&error);
                    unreadable.push(error);
                }
                restored => restored?,
            }
            bytes += [&row.input, &row.trace, &row.observed, &row.output].map(json::bytes).iter().sum::<usize>();
            if bytes > ROWS_BYTES && restored > 0 {
                break;
            }
            restored += 1;
        }
        // A page that is full ends with its last row; else all was read as far as the last item, readable or not.
        let is_whole = restored == rows.len() && restored < limit;
        rows.truncate(restored);
        let last = rows.last().map(|row| row.seq);
        let last = if is_whole { last.max(last_unreadable) } else { last };
        let next = last.filter(|last| seqs.end() > last);
        Ok(Listed { items: rows, next: next.map(|last| last.to_string()), unreadable })
    }

    /// Rows from a number on, as they are stored, and the numbers that there should be. The head is read first: rows that move
    /// out of it meanwhile stand in it all the same.
    pub(crate) async fn stored_rows(
        &self,
        execution: &str,
        from: u64,
        limit: usize,
        consistency: Consistency,
    ) -> Result<StoredRows, Error> {
        let key = items::execution::key(execution);
        let head = self.tables.get(items::execution::TABLE, &key, consistency).await?;
        let head = head.as_ref().map(items::execution::parse_whole).transpose()?.flatten();
        let Some((head, newest)) = head else { return Ok(StoredRows::none()) };
        let range = SortRange::Between(items::history::sort(from), items::history::sort(head.seq));
        let query = Query::of(items::history::TABLE, items::history::partition(execution)).range(range).limit(limit);
        let query = Query { consistency, ..query };
        let page = self.tables.query(&query).await?;
        let (read, unreadable) = self.unreadable.read(&page.items, items::history::parse);
        let mut rows: Vec<Row> = read.into_iter().flatten().collect();
        if page.next.is_none() {
            rows.extend(newest);
        }
        rows.retain(|row| row.seq >= from);
        rows.truncate(limit);
        let unread = |item: &&Item| items::history::parse(item).is_err();
        let last_unreadable = page.items.iter().rev().find(unread).and_then(|item| items::history::last(&item.key));
        Ok(StoredRows { rows, seqs: from..=head.seq, unreadable, last_unreadable })
    }

    /// The ids of the forks of an execution, in no order of time.
    #[boxed]
    pub async fn forks(&self, execution: &str, limit: usize, after: Option<String>) -> Result<Listed<String>, Error> {
        let range = SortRange::Prefix(items::fork::PREFIX.to_owned());
        let query = Query::of(items::fork::TABLE, items::history::partition(execution)).range(range).eventual();
        let page = self.tables.query(&query.limit(limit).after(after)).await?;
        let ids = page.items.iter().filter_map(items::fork::id).map(str::to_owned).collect();
        Ok(Listed { items: ids, next: page.next, unreadable: Vec::new() })
    }

    /// The starts of a workflow that were refused, newest first.
    #[boxed]
    pub async fn refusals(
        &self,
        workflow: &str,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<Refusal>, Error> {
        let query = Query::of_index(items::refusal::TABLE, Index::Gsi1, items::refusal::partition(workflow));
        let query = query.newest_first().limit(limit).after(after);
        let listed = self.list(&query, items::refusal::parse).await?;
        let items = listed.items.into_iter().flatten().collect();
        Ok(Listed { items, next: listed.next, unreadable: listed.unreadable })
    }

    /// A refusal by its id, with the event that was refused if it is kept.
    #[boxed]
    pub async fn refusal(&self, id: &str) -> Result<Option<(Refusal, Option<Event>)>, Error> {
        let Some(execution) = items::refusal::execution_of(id) else { return Ok(None) };
        let key = items::execution::key(&execution);
        let Some(item) = self.tables.get(items::refusal::TABLE, &key, Consistency::Strong).await? else {
            return Ok(None);
        };
        let Some(refusal) = items::refusal::parse(&item)? else { return Ok(None) };
        let mut event = items::refusal::event(&item)?;
        if let Some(event) = &mut event {
            offload::restore_event(&*self.blobs, BlobOwner::execution(&execution), event).await?;
        }
        Ok(Some((refusal, event)))
    }

    /// Notices, newest first.
    #[boxed]
    pub async fn notices(&self, limit: usize, after: Option<String>) -> Result<Listed<Notice>, Error> {
        let query = Query::of(items::notice::TABLE, items::notice::PARTITION).eventual();
        let query = query.newest_first().limit(limit).after(after);
        self.list(&query, items::notice::parse).await
    }

    /// Who used the kill switches, newest first.
    #[boxed]
    pub async fn audit(&self, limit: usize, after: Option<String>) -> Result<Listed<Entry>, Error> {
        let query = Query::of(items::audit::TABLE, items::audit::PARTITION).eventual();
        let query = query.newest_first().limit(limit).after(after);
        self.list(&query, items::audit::parse).await
    }

    async fn list<T>(
        &self,
        query: &Query,
        parse: impl Fn(&Item) -> Result<T, Unreadable> + Send,
    ) -> Result<Listed<T>, Error> {
        let page = self.tables.query(query).await?;
        let (items, unreadable) = self.unreadable.read(&page.items, parse);
        Ok(Listed { items, next: page.next, unreadable })
    }
}

/// The number of the first row after a cursor.
fn next_seq(cursor: &str) -> Result<u64, Error> {
    let last: Option<u64> = cursor.parse().ok().filter(|last| *last < u64::MAX);
    let wrong = || TableError::Invalid("a cursor of a history is the number of a row".to_owned());
    Ok(last.ok_or_else(wrong)? + 1)
}

fn range(filter: &Filter) -> SortRange {
    if filter.since.is_none() && filter.until.is_none() {
        return SortRange::All;
    }
    let from = filter.since.map_or_else(|| "0".to_owned(), items::sortable);
    let to = filter.until.map_or_else(|| "9".to_owned(), items::sortable);
    SortRange::Between(from, to)
}

fn fits(execution: &Execution, filter: &Filter) -> bool {
    let workflow = filter.workflow.as_ref().is_none_or(|workflow| *workflow == execution.workflow);
    let before = filter.until.is_none_or(|until| execution.created_at < until);
    workflow && before && filter.status.is_none_or(|status| status == execution.status)
}
