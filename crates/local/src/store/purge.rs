//! Removing what has expired, in small batches, when the writer has nothing else to do.

use std::time::{Duration, Instant};

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
            let expired = expired_rows(connection, table_name(table), now)?;
            full |= expired.len() == BATCH;
            for id in expired {
                group.begin(connection)?;
                let delete = format!("DELETE FROM {} WHERE id = ?1", table_name(table));
                connection.prepare_cached(&delete)?.execute([id])?;
            }
        }
        self.next = Instant::now() + if full { Duration::ZERO } else { INTERVAL };
        Ok(())
    }
}

fn expired_rows(connection: &Connection, table: &str, now: i64) -> Result<Vec<i64>> {
    let select = format!("SELECT id FROM {table} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT {BATCH}");
    connection.prepare_cached(&select)?.query_map([now], |row| row.get(0))?.collect()
}
