//! The messages on disk, written by the writer only.

use std::sync::Arc;

use jiff::SignedDuration;
use pawl_runtime::ports::{Message, QueueName};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::hub::{Hub, Letter};
use super::micros;
use super::request::GivenBack;
use super::schema::{QUEUES, queue_column, queue_index};

/// What a message's `due` is while it is in memory.
const IN_MEMORY: i64 = 0;

/// How many messages are made ready before the writer looks at its requests again.
const BATCH: usize = 1_000;

/// The writer's side of the queues.
pub(super) struct Messages {
    hub: Arc<Hub>,
    last_id: i64,
    lanes: [Waiting; 3],
}

/// The messages of one queue that are on disk only.
#[derive(Default, Clone, Copy)]
struct Waiting {
    /// When the first becomes due.
    first_due: Option<i64>,
    /// Due ones wait until receivers made room.
    full: bool,
}

impl Messages {
    /// Makes ready all that was ready or received when the file was last open.
    pub(super) fn load(connection: &Connection, hub: Arc<Hub>) -> Result<Self> {
        let last_id = connection.query_row("SELECT ifnull(max(id), 0) FROM messages", [], |row| row.get(0))?;
        let mut messages = Self { hub, last_id, lanes: [Waiting::default(); 3] };
        let mut statement = connection
            .prepare("SELECT id, body, attempt, sent_at FROM messages WHERE due = 0 AND queue = ?1 ORDER BY id")?;
        for queue in QUEUES {
            let letters = statement.query_map([queue_column(queue)], read_letter)?.collect::<Result<Vec<Letter>>>()?;
            messages.hub.offer(queue, letters);
            messages.look_up(connection, queue)?;
        }
        Ok(messages)
    }

    /// Inserts messages at a time, and makes ready those that are due while there is room.
    pub(super) fn send(
        &mut self,
        connection: &Connection,
        queue: QueueName,
        messages: Vec<Message>,
        now: i64,
    ) -> Result<()> {
        let mut room = self.hub.room(queue);
        let mut ready = Vec::new();
        for message in messages {
            let delayed = message.delay > SignedDuration::ZERO;
            let waiting_before = self.lane(queue).first_due.is_some_and(|due| due <= now);
            self.last_id += 1;
            let id = self.last_id;
            let due =
                if delayed || waiting_before || room == 0 { micros::after(now, message.delay) } else { IN_MEMORY };
            insert(connection, &Place { id, queue, due, now }, &message)?;
            if due == IN_MEMORY {
                room -= 1;
                ready.push(Letter { id, body: message.body, attempt: 0, sent_at: now });
            } else {
                self.expect(queue, due);
            }
        }
        if !ready.is_empty() {
            self.hub.offer(queue, ready);
        }
        Ok(())
    }

    /// Lets a received message wait on disk until it is due, from where it comes back as any other.
    pub(super) fn give_back(&mut self, connection: &Connection, message: &GivenBack) -> Result<()> {
        connection.prepare_cached("UPDATE messages SET due = ?1, attempt = ?2 WHERE id = ?3")?.execute(params![
            message.due,
            message.attempt,
            message.id
        ])?;
        self.expect(message.queue, message.due);
        Ok(())
    }

    /// When the next message becomes due that there is room for.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.lanes.iter().filter(|lane| !lane.full).filter_map(|lane| lane.first_due).min()
    }

    /// Looks for room again.
    pub(super) fn room_was_made(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.full = false);
    }

    /// Makes ready what is due and finds room.
    pub(super) fn move_due(&mut self, connection: &Connection, now: i64) -> Result<()> {
        for queue in QUEUES {
            let lane = self.lane(queue);
            if !lane.full && lane.first_due.is_some_and(|due| due <= now) {
                self.move_due_of(connection, queue, now)?;
            }
        }
        Ok(())
    }

    fn move_due_of(&mut self, connection: &Connection, queue: QueueName, now: i64) -> Result<()> {
        let room = self.hub.room(queue).min(BATCH);
        let letters = select_due(connection, queue, now, room)?;
        let mut load = connection.prepare_cached("UPDATE messages SET due = 0 WHERE id = ?1")?;
        for letter in &letters {
            load.execute([letter.id])?;
        }
        if !letters.is_empty() {
            self.hub.offer(queue, letters);
        }
        self.look_up(connection, queue)?;
        if self.lane(queue).first_due.is_some_and(|due| due <= now) {
            self.lanes[queue_index(queue)].full = self.hub.wait_for_room(queue);
        }
        Ok(())
    }

    fn look_up(&mut self, connection: &Connection, queue: QueueName) -> Result<()> {
        let mut statement =
            connection.prepare_cached("SELECT due FROM messages WHERE queue = ?1 AND due > 0 ORDER BY due LIMIT 1")?;
        let first_due = statement.query_row([queue_column(queue)], |row| row.get(0)).optional()?;
        self.lanes[queue_index(queue)].first_due = first_due;
        Ok(())
    }

    fn expect(&mut self, queue: QueueName, due: i64) {
        let lane = &mut self.lanes[queue_index(queue)];
        lane.first_due = Some(lane.first_due.map_or(due, |first| first.min(due)));
    }

    fn lane(&self, queue: QueueName) -> Waiting {
        self.lanes[queue_index(queue)]
    }
}

/// Deletes a message.
pub(super) fn delete(connection: &Connection, id: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// The place of a new message.
struct Place {
    id: i64,
    queue: QueueName,
    due: i64,
    now: i64,
}

fn insert(connection: &Connection, place: &Place, message: &Message) -> Result<()> {
    let Place { id, queue, due, now } = place;
    connection
        .prepare_cached(
            "INSERT INTO messages (id, queue, due, attempt, sent_at, fairness, body) VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6)",
        )?
        .execute(params![id, queue_column(*queue), due, now, message.group, message.body])?;
    Ok(())
}

fn select_due(connection: &Connection, queue: QueueName, now: i64, limit: usize) -> Result<Vec<Letter>> {
    let limit = i64::try_from(limit).expect("a batch is small");
    connection
        .prepare_cached(
            "SELECT id, body, attempt, sent_at FROM messages
             WHERE queue = ?1 AND due > 0 AND due <= ?2 ORDER BY due, id LIMIT ?3",
        )?
        .query_map(params![queue_column(queue), now, limit], read_letter)?
        .collect()
}

fn read_letter(row: &Row<'_>) -> Result<Letter> {
    Ok(Letter { id: row.get(0)?, body: row.get(1)?, attempt: row.get(2)?, sent_at: row.get(3)? })
}
