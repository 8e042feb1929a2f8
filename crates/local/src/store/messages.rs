//! The messages on disk, written by the writer only.
//!
//! A message that is due is ready in memory, or waits on disk because its group has filled its part of the memory; those
//! come in group by group as receivers make room, so that the backlog of one group delays no other.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use pawl_runtime::ports::{Message, QueueName};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::hub::Hub;
use super::lane::Letter;
use super::micros;
use super::request::GivenBack;
use super::schema::{QUEUES, queue_column, queue_index};

/// What a message's `due` is while it is in memory.
const IN_MEMORY: i64 = 0;

/// What it is while the message is due and waits on disk for room.
const NO_ROOM: i64 = -1;

/// How many messages are made ready before the writer looks at its requests again.
const BATCH: usize = 1_000;

/// The writer's side of the queues.
pub(super) struct Messages {
    hub: Arc<Hub>,
    last_id: i64,
    lanes: [Waiting; QUEUES.len()],
    /// Receivers made room for groups that wait on disk.
    room_was_made: bool,
}

/// The messages of one queue that are on disk only.
#[derive(Default)]
struct Waiting {
    /// When the first becomes due of those that are not.
    first_due: Option<i64>,
    /// How many are due and have no room, by group.
    no_room: HashMap<String, usize>,
}

impl Messages {
    /// Makes ready all that was ready or received when the file was last open.
    pub(super) fn load(connection: &Connection, hub: Arc<Hub>) -> Result<Self> {
        let last_id = connection.query_row("SELECT ifnull(max(id), 0) FROM messages", [], |row| row.get(0))?;
        let mut messages = Self { hub, last_id, lanes: Default::default(), room_was_made: true };
        for queue in QUEUES {
            messages.load_ready(connection, queue)?;
            messages.count_waiting(connection, queue)?;
            messages.look_up(connection, queue)?;
        }
        Ok(messages)
    }

    fn load_ready(&self, connection: &Connection, queue: QueueName) -> Result<()> {
        let mut statement = connection.prepare(
            "SELECT id, body, attempt, put_off, sent_at, fairness FROM messages WHERE due = 0 AND queue = ?1 ORDER BY id",
        )?;
        let letters = statement.query_map([queue_column(queue)], read_letter)?.collect::<Result<Vec<_>>>()?;
        self.hub.backlog.add(letters.len(), letters.iter().map(|(_, letter)| letter.body.len()).sum());
        self.hub.offer(queue, letters);
        Ok(())
    }

    fn count_waiting(&mut self, connection: &Connection, queue: QueueName) -> Result<()> {
        let mut statement = connection.prepare(
            "SELECT fairness, count(*), sum(length(CAST(body AS BLOB))) FROM messages
             WHERE due = -1 AND queue = ?1 GROUP BY fairness",
        )?;
        let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        for found in statement.query_map([queue_column(queue)], read)? {
            let (group, count, bytes) = found?;
            let count = usize::try_from(count).unwrap_or_default();
            self.hub.backlog.add(count, usize::try_from(bytes).unwrap_or_default());
            self.hub.ask(queue, &group);
            self.lanes[queue_index(queue)].no_room.insert(group, count);
        }
        Ok(())
    }

    /// Inserts messages at a time, and makes ready those that are due while there is room.
    pub(super) fn send(
        &mut self,
        connection: &Connection,
        queue: QueueName,
        messages: Vec<Message>,
        now: i64,
    ) -> Result<()> {
        let fits = self.hub.admit(queue, messages.iter().map(|message| message.group.as_str()));
        let mut ready = Vec::new();
        for (message, fits) in messages.into_iter().zip(fits) {
            let delayed = message.delay > SignedDuration::ZERO;
            self.last_id += 1;
            let id = self.last_id;
            let due = match (delayed, fits) {
                (true, _) => micros::after(now, message.delay),
                (false, true) => IN_MEMORY,
                (false, false) => NO_ROOM,
            };
            insert(connection, &Place { id, queue, due, now }, &message)?;
            if delayed {
                self.expect(queue, due);
                continue;
            }
            self.hub.backlog.add(1, message.body.len());
            if fits {
                ready.push((message.group, Letter { id, body: message.body, attempt: 0, put_off: 0, sent_at: now }));
            } else {
                self.leave_on_disk(queue, message.group);
            }
        }
        if !ready.is_empty() {
            self.hub.offer(queue, ready);
        }
        Ok(())
    }

    /// Lets a received message wait on disk until it is due, from where it comes back as any other.
    pub(super) fn give_back(&mut self, connection: &Connection, message: &GivenBack) -> Result<()> {
        connection
            .prepare_cached("UPDATE messages SET due = ?1, attempt = ?2, put_off = put_off + ?3 WHERE id = ?4")?
            .execute(params![message.due, message.attempt, message.put_off, message.id])?;
        self.expect(message.queue, message.due);
        Ok(())
    }

    /// When the next message becomes due.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.lanes.iter().filter_map(|lane| lane.first_due).min()
    }

    /// Notes that there is room for messages that wait on disk.
    pub(super) fn room_was_made(&mut self) {
        self.room_was_made = true;
    }

    /// Whether there is room for messages that wait on disk.
    pub(super) fn has_room(&self) -> bool {
        self.room_was_made
    }

    /// Moves a batch of messages that became due, and those that found room.
    pub(super) fn move_due(&mut self, connection: &Connection, now: i64) -> Result<()> {
        for queue in QUEUES {
            if self.lanes[queue_index(queue)].first_due.is_some_and(|due| due <= now) {
                self.move_due_of(connection, queue, now)?;
            }
        }
        if std::mem::take(&mut self.room_was_made) {
            for queue in QUEUES {
                for group in self.hub.wanting(queue) {
                    self.fill(connection, queue, &group)?;
                }
            }
        }
        Ok(())
    }

    fn move_due_of(&mut self, connection: &Connection, queue: QueueName, now: i64) -> Result<()> {
        let letters = select_due(connection, queue, now)?;
        let fits = self.hub.admit(queue, letters.iter().map(|(group, _)| group.as_str()));
        let mut ready = Vec::new();
        for ((group, letter), fits) in letters.into_iter().zip(fits) {
            set_due(connection, letter.id, if fits { IN_MEMORY } else { NO_ROOM })?;
            self.hub.backlog.add(1, letter.body.len());
            if fits {
                ready.push((group, letter));
            } else {
                self.leave_on_disk(queue, group);
            }
        }
        if !ready.is_empty() {
            self.hub.offer(queue, ready);
        }
        self.look_up(connection, queue)
    }

    /// Makes ready what finds room of a group that waits on disk.
    fn fill(&mut self, connection: &Connection, queue: QueueName, group: &str) -> Result<()> {
        let letters = select_without_room(connection, queue, group, self.hub.room(queue, group).clamp(1, BATCH))?;
        for (_, letter) in &letters {
            set_due(connection, letter.id, IN_MEMORY)?;
        }
        let waiting = &mut self.lanes[queue_index(queue)].no_room;
        let left = waiting.get(group).map_or(0, |count| count.saturating_sub(letters.len()));
        if left > 0 && !letters.is_empty() {
            waiting.insert(group.to_owned(), left);
        } else {
            waiting.remove(group);
        }
        self.hub.set_on_disk(queue, group, left > 0 && !letters.is_empty());
        if !letters.is_empty() {
            self.hub.offer(queue, letters);
        }
        Ok(())
    }

    fn leave_on_disk(&mut self, queue: QueueName, group: String) {
        let waiting = &mut self.lanes[queue_index(queue)].no_room;
        if !waiting.contains_key(&group) {
            self.hub.set_on_disk(queue, &group, true);
        }
        *waiting.entry(group).or_default() += 1;
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

fn set_due(connection: &Connection, id: i64, due: i64) -> Result<()> {
    connection.prepare_cached("UPDATE messages SET due = ?1 WHERE id = ?2")?.execute([due, id])?;
    Ok(())
}

fn select_due(connection: &Connection, queue: QueueName, now: i64) -> Result<Vec<(String, Letter)>> {
    connection
        .prepare_cached(
            "SELECT id, body, attempt, put_off, sent_at, fairness FROM messages
             WHERE queue = ?1 AND due > 0 AND due <= ?2 ORDER BY due, id LIMIT ?3",
        )?
        .query_map(params![queue_column(queue), now, limit(BATCH)], read_letter)?
        .collect()
}

fn select_without_room(
    connection: &Connection,
    queue: QueueName,
    group: &str,
    most: usize,
) -> Result<Vec<(String, Letter)>> {
    connection
        .prepare_cached(
            "SELECT id, body, attempt, put_off, sent_at, fairness FROM messages
             WHERE queue = ?1 AND fairness = ?2 AND due = -1 ORDER BY id LIMIT ?3",
        )?
        .query_map(params![queue_column(queue), group, limit(most)], read_letter)?
        .collect()
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).expect("a batch is small")
}

/// A message with its group.
fn read_letter(row: &Row<'_>) -> Result<(String, Letter)> {
    let letter =
        Letter { id: row.get(0)?, body: row.get(1)?, attempt: row.get(2)?, put_off: row.get(3)?, sent_at: row.get(4)? };
    Ok((row.get(5)?, letter))
}
