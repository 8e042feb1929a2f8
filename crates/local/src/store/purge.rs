//! Removing what has expired, in small batches, on the time of the clock.

use pawl_runtime::ports::{Key, Message, Table, expired_message};
use rusqlite::{Connection, Result, Row};

use super::commit::GroupCommit;
use super::schema::{TABLES, table_name};

/// Most rows of a table that are removed at once.
const BATCH: usize = 200;

/// Microseconds between two looks when the last found little.
const INTERVAL: i64 = 10_000_000;

/// Microseconds between two looks while there is more: the writer spends a few percent of its time on this.
const HASTE: i64 = 100_000;

/// When to look next.
#[derive(Default)]
pub(super) struct Purge {
    next: Option<i64>,
}

impl Purge {
    /// In how many microseconds it is time to look. A clock that was set back delays nothing.
    pub(super) fn patience(&self, now: i64) -> i64 {
        self.next.map_or(0, |next| (next - now).min(INTERVAL)).max(0)
    }

    /// Removes a batch if it is time; answers the messages that tell of it, to be sent with it.
    pub(super) fn advance(
        &mut self,
        connection: &Connection,
        group: &mut GroupCommit,
        now: i64,
    ) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        if self.next.is_some_and(|next| now < next && next - now <= INTERVAL) {
            return Ok(messages);
        }
        let mut full = false;
        for table in TABLES {
            let expired = expired_rows(connection, table, now)?;
            if !expired.is_empty() && group.begin(connection)? {
                full |= expired.len() == BATCH;
                remove(connection, table, &expired)?;
                messages.extend(expired.iter().filter_map(|(_, key)| expired_message(table, key)));
            }
        }
        self.next = Some(now + if full { HASTE } else { INTERVAL });
        Ok(messages)
    }
}

fn remove(connection: &Connection, table: Table, rows: &[(i64, Key)]) -> Result<()> {
    let mut delete = connection.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", table_name(table)))?;
    for (id, _) in rows {
        delete.execute([id])?;
    }
    Ok(())
}

fn expired_rows(connection: &Connection, table: Table, now: i64) -> Result<Vec<(i64, Key)>> {
    let table = table_name(table);
    let select = format!("SELECT id, pk, sk FROM {table} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT {BATCH}");
    let read = |row: &Row<'_>| Ok((row.get(0)?, Key { partition: row.get(1)?, sort: row.get(2)? }));
    connection.prepare_cached(&select)?.query_map([now], read)?.collect()
}

#[cfg(test)]
mod tests {
    use pawl_runtime::ports::Item;

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
        assert_eq!(expired_rows(&connection, table, 15).expect("the query is valid"), []);
    }
}
