//! Removing what has expired, in small batches, when the writer has nothing else to do.

use std::time::{Duration, Instant};

use pawl_runtime::ports::Table;
use rusqlite::{Connection, Result};

use super::commit::GroupCommit;
use super::schema::{TABLES, table_name};

/// Most rows of a table that are removed at once.
const BATCH: usize = 200;

/// The time between two looks when the last found little.
const INTERVAL: Duration = Duration::from_secs(10);

/// When to look next.
pub(super) struct Purge {
    next: Instant,
}

impl Purge {
    pub(super) fn new() -> Self {
        Self { next: Instant::now() + INTERVAL }
    }

    /// Removes a batch if it is time. Called when no request is there.
    pub(super) fn advance(&mut self, connection: &Connection, group: &mut GroupCommit, now: i64) -> Result<()> {
        if Instant::now() < self.next {
            return Ok(());
        }
        let mut full = false;
        for table in TABLES {
            let expired = expired_rows(connection, table, now)?;
            if !expired.is_empty() && group.begin(connection)? {
                full |= expired.len() == BATCH;
                remove(connection, table, &expired)?;
            }
        }
        self.next = Instant::now() + if full { Duration::ZERO } else { INTERVAL };
        Ok(())
    }
}

fn remove(connection: &Connection, table: Table, rows: &[i64]) -> Result<()> {
    let mut delete = connection.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", table_name(table)))?;
    for id in rows {
        delete.execute([id])?;
    }
    Ok(())
}

fn expired_rows(connection: &Connection, table: Table, now: i64) -> Result<Vec<i64>> {
    let table = table_name(table);
    let select = format!("SELECT id FROM {table} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT {BATCH}");
    connection.prepare_cached(&select)?.query_map([now], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use pawl_runtime::ports::{Item, Key};

    use super::super::rows::Statements;
    use super::super::{micros, schema};
    use super::*;

    #[test]
    fn only_expired_rows_are_removed() {
        let connection = Connection::open_in_memory().expect("memory is there");
        schema::create(&connection).expect("the tables are new");
        let table = Table::Keys;
        let lives = [Some(10), Some(20), None];
        for (number, expires_at) in lives.iter().enumerate() {
            let (key, expires_at) = (Key::new("p", number.to_string()), expires_at.map(micros::read));
            let item = Item { key, version: 1, indexes: Vec::new(), expires_at, body: "{}".to_owned() };
            Statements::new(table).insert(&connection, &item).expect("the row is new");
        }

        let expired = expired_rows(&connection, table, 10).expect("the query is valid");
        remove(&connection, table, &expired).expect("the rows are there");
        let left: i64 = connection
            .query_row("SELECT count(*) FROM idempotency", [], |row| row.get(0))
            .expect("a count is a number");
        assert_eq!((expired.len(), left), (1, 2));
        assert_eq!(expired_rows(&connection, table, 15).expect("the query is valid"), Vec::<i64>::new());
    }
}
