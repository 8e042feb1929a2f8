//! The history of a record.

use async_recursion::async_recursion as boxed;
use pawl_engine::Subject;

use super::{RecordError, Records};
use crate::items::record_change::{self as stored, RecordChange};
use crate::ports::{Durability, Expect, Query, Tables, Transaction, Write};
use crate::{Error, Listed};

/// Changes that are deleted at once.
const DELETED_AT_ONCE: usize = 50;

impl Records {
    /// The changes of a record that are kept, newest first.
    #[boxed]
    pub async fn changes(
        &self,
        record: &Subject,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<RecordChange>, RecordError> {
        self.get(record).await?;
        let query = Query::of(stored::TABLE, stored::partition(record)).newest_first().limit(limit).after(after);
        let page = self.tables.query(&query).await?;
        let (items, unreadable) = self.catalog.unreadable().read(&page.items, stored::parse);
        Ok(Listed { items, next: page.next, unreadable })
    }
}

/// Deletes some changes of a record that is forgotten; whether there may be more. No change comes after the tombstone.
pub(crate) async fn forget_some(tables: &dyn Tables, record: &Subject) -> Result<bool, Error> {
    let query = Query::of(stored::TABLE, stored::partition(record)).limit(DELETED_AT_ONCE);
    let page = tables.query(&query).await?;
    if page.items.is_empty() {
        return Ok(page.next.is_some());
    }
    let delete = |key| Write::Delete { table: stored::TABLE, key, expect: Expect::Any };
    let writes = page.items.into_iter().map(|item| delete(item.key)).collect();
    tables.transact(Transaction { writes, durability: Durability::Durable }).await?;
    Ok(page.next.is_some())
}
