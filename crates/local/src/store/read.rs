//! Reads, on the writer's connection (strong) or a reader's (of what has committed).

use std::sync::Arc;

use pawl_runtime::ports::{Item, Key, Page, Query, Table, TableError};
use rusqlite::{Connection, Result};

use super::recent::{Known, News, Recent};
use super::request::{Reply, answer};
use super::rows::ItemStatements;
use super::{micros, query};

/// A read and where its answer goes.
pub(super) enum Read {
    /// One item.
    Get(Table, Key, Reply<Option<Item>>),
    /// Several items.
    GetMany(Vec<(Table, Key)>, Reply<Vec<Option<Item>>>),
    /// A page of a partition.
    Query(Query, Reply<std::result::Result<Page, TableError>>),
}

impl Read {
    /// Carries it out as of a time in microseconds. What it finds at keys and in partitions also becomes known to
    /// `recent`, which only the writer has.
    pub(super) fn run(self, reading: &Reading<'_>) -> Result<()> {
        match self {
            Self::Get(table, key, reply) => answer(reply, reading.get(table, key)?),
            Self::GetMany(keys, reply) => {
                let found = keys.into_iter().map(|(table, key)| reading.get(table, key)).collect::<Result<_>>()?;
                answer(reply, found);
            }
            Self::Query(query, reply) => {
                let found = query::run(reading.connection, &query, reading.now)?;
                if let (Ok(page), Some(recent), None) = (&found, reading.recent, query.index) {
                    recent.learn_page(&query, page);
                }
                answer(reply, found);
            }
        }
        Ok(())
    }
}

/// What a read needs.
pub(super) struct Reading<'a> {
    pub(super) connection: &'a Connection,
    pub(super) statements: &'a ItemStatements,
    pub(super) recent: Option<&'a Recent>,
    pub(super) now: i64,
}

impl Reading<'_> {
    fn get(&self, table: Table, key: Key) -> Result<Option<Item>> {
        let found = self.statements.of(table).get(self.connection, &key)?;
        if let Some(recent) = self.recent {
            let known = found.clone().map_or(Known::Absent, |item| Known::Item(Arc::new(item)));
            recent.learn([News { table, key, known }]);
        }
        Ok(found.filter(|item| is_live(item, self.now)))
    }
}

/// Whether reads still see an item.
pub(super) fn is_live(item: &Item, now: i64) -> bool {
    item.expires_at.is_none_or(|at| now < micros::ceil(at))
}
