//! Takes the values out of one execution that has ended. Doing it again changes nothing, and ends what a crash cut off.

use jiff::Timestamp;
use pawl_engine::{Execution, Row};

use crate::items::execution::Head;
use crate::ports::{
    BlobOwner, Blobs, Consistency, Durability, Expect, Item, Pages, Query, SortRange, Table, Tables, Transaction, Write,
};
use crate::{Error, items};

/// Items of one page of rows.
const PAGE: usize = 25;

/// What became of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scrubbed {
    /// Its values are gone, since now or since before.
    Done,
    /// It is open, and needs them.
    Open,
    /// It is not there.
    Gone,
}

/// Rows and event first, then the head, so that a head that says it is forgotten has no values beside it; the blobs, to which
/// nothing refers then, last.
pub(super) async fn scrub(
    tables: &dyn Tables,
    blobs: &dyn Blobs,
    execution: &str,
    at: Timestamp,
) -> Result<Scrubbed, Error> {
    let key = items::execution::key(execution);
    let Some(item) = tables.get(items::execution::TABLE, &key, Consistency::Strong).await? else {
        return Ok(Scrubbed::Gone);
    };
    let Some(Head { execution: mut head, rows: mut newest, event: kept }) = items::execution::parse_head(&item)? else {
        return Ok(Scrubbed::Gone);
    };
    if !head.status.is_ended() {
        return Ok(Scrubbed::Open);
    }
    if head.forgotten.is_none() {
        older_rows(tables, execution, at).await?;
        event(tables, execution, at).await?;
        forget_rows(&mut newest, at);
        head.forget(at);
        head.version += 1;
        let after = match kept {
            Some(kept) => {
                let mut event = kept.read(&item)?;
                event.forget(at);
                items::execution::item_with_event(&head, &newest, &event)
            }
            None => items::execution::item(&head, &newest),
        };
        put(tables, items::execution::TABLE, after, item.version).await?;
    }
    let Execution { id, event_id, .. } = &head;
    for owner in [BlobOwner::execution(id), BlobOwner::event(event_id)] {
        while blobs.remove(&owner).await? {}
    }
    Ok(Scrubbed::Done)
}

fn forget_rows(rows: &mut [Row], at: Timestamp) {
    for row in rows {
        row.forget(at);
    }
}

async fn older_rows(tables: &dyn Tables, execution: &str, at: Timestamp) -> Result<(), Error> {
    let range = SortRange::Prefix(items::history::PREFIX.to_owned());
    let query = Query::of(items::history::TABLE, items::history::partition(execution)).range(range).limit(PAGE);
    let mut pages = Pages::of(tables, query);
    while let Some(page) = pages.next().await? {
        for item in page {
            let mut rows = items::history::parse(&item)?;
            forget_rows(&mut rows, at);
            let after = items::history::rewritten(&item, &rows);
            if after.body != item.body {
                put(tables, items::history::TABLE, after, item.version).await?;
            }
        }
    }
    Ok(())
}

async fn event(tables: &dyn Tables, execution: &str, at: Timestamp) -> Result<(), Error> {
    let key = items::event::key(execution);
    let Some(item) = tables.get(items::event::TABLE, &key, Consistency::Strong).await? else { return Ok(()) };
    let mut event = items::event::parse(&item)?;
    event.forget(at);
    let after = Item { version: item.version + 1, ..items::event::item(execution, &event) };
    if after.body == item.body {
        return Ok(());
    }
    put(tables, items::event::TABLE, after, item.version).await
}

async fn put(tables: &dyn Tables, table: Table, item: Item, version: u64) -> Result<(), Error> {
    let writes = vec![Write::Put { table, item, expect: Expect::Version(version) }];
    Ok(tables.transact(Transaction { writes, durability: Durability::Durable }).await?)
}
