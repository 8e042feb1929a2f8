//! The timers on disk, written by the writer only. None is kept in memory but the time of the first.

use jiff::SignedDuration;
use pawl_runtime::ports::{Message, Timer};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::messages::Messages;
use super::micros;
use super::schema::{QUEUES, queue_column};

/// How many timers fire before the writer looks at its requests again.
const BATCH: u32 = 500;

/// The writer's side of the timers.
pub(super) struct Alarms {
    first_due: Option<i64>,
}

impl Alarms {
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        Ok(Self { first_due: first_due(connection)? })
    }

    pub(super) fn set(&mut self, connection: &Connection, timer: &Timer) -> Result<()> {
        let due = micros::ceil(timer.due);
        connection
            .prepare_cached(
                "INSERT INTO timers (name, due, queue, fairness, body) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (name) DO UPDATE SET due = ?2, queue = ?3, fairness = ?4, body = ?5",
            )?
            .execute(params![timer.name, due, queue_column(timer.queue), timer.message.group, timer.message.body])?;
        self.first_due = Some(self.first_due.map_or(due, |first| first.min(due)));
        Ok(())
    }

    pub(super) fn cancel(connection: &Connection, name: &str) -> Result<()> {
        connection.prepare_cached("DELETE FROM timers WHERE name = ?1")?.execute([name])?;
        Ok(())
    }

    /// When the next may fire. Never too late, though early after a timer was replaced or cancelled.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.first_due
    }

    /// Moves a batch of due timers to their queues.
    pub(super) fn fire(&mut self, connection: &Connection, messages: &mut Messages, now: i64) -> Result<()> {
        if self.first_due.is_none_or(|due| now < due) {
            return Ok(());
        }
        let mut lanes: [Vec<Message>; QUEUES.len()] = Default::default();
        let mut delete = connection.prepare_cached("DELETE FROM timers WHERE name = ?1")?;
        for (name, queue, message) in select_due(connection, now)? {
            delete.execute([name])?;
            if let Some(lane) = QUEUES.iter().position(|known| queue_column(*known) == queue) {
                lanes[lane].push(message);
            }
        }
        for (queue, due) in QUEUES.into_iter().zip(lanes) {
            messages.send(connection, queue, due, now)?;
        }
        self.first_due = first_due(connection)?;
        Ok(())
    }
}

fn first_due(connection: &Connection) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT due FROM timers ORDER BY due LIMIT 1")?;
    statement.query_row([], |row| row.get(0)).optional()
}

fn select_due(connection: &Connection, now: i64) -> Result<Vec<(String, i64, Message)>> {
    connection
        .prepare_cached("SELECT name, queue, fairness, body FROM timers WHERE due <= ?1 ORDER BY due LIMIT ?2")?
        .query_map(params![now, BATCH], read_timer)?
        .collect()
}

fn read_timer(row: &Row<'_>) -> Result<(String, i64, Message)> {
    let message = Message { group: row.get(2)?, body: row.get(3)?, delay: SignedDuration::ZERO };
    Ok((row.get(0)?, row.get(1)?, message))
}
