//! Reads, on the writer's connection (strong) or a reader's (of what has committed).

use pawl_runtime::ports::{Item, Key, Page, Query, Table, TableError};
use rusqlite::{Connection, Result};

use super::query;
use super::request::{Reply, answer};
use super::rows::ItemStatements;

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
    /// Carries it out as of a time in microseconds.
    pub(super) fn run(self, connection: &Connection, statements: &ItemStatements, now: i64) -> Result<()> {
        let get = |table, key: &Key| statements.of(table).get(connection, key, now);
        match self {
            Self::Get(table, key, reply) => answer(reply, get(table, &key)?),
            Self::GetMany(keys, reply) => {
                answer(reply, keys.iter().map(|(table, key)| get(*table, key)).collect::<Result<_>>()?);
            }
            Self::Query(query, reply) => answer(reply, query::run(connection, &query, now)?),
        }
        Ok(())
    }
}
