//! Deliveries that were rejected, counted: those of one trigger with one code within an hour are one row, so that nobody
//! without a key can fill the storage, and how many they were is known.
//!
//! A process has at most one write of a row in flight. What is rejected meanwhile is added up, and written by whoever
//! writes: under a flood, writes are as many as storage answers, not as many as deliveries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::items::refusal::{self, Refusal};
use crate::ports::{Durability, Expect, TableError, Tables, Transaction, Write};

/// How often a write that other processes were faster than is tried again.
const RACES: usize = 32;

/// Rows that are remembered although nothing of them is left to be written.
const REMEMBERED: usize = 1_000;

/// What this process knows of rows of rejected deliveries.
#[derive(Default)]
pub(crate) struct Rejections {
    rows: Mutex<BTreeMap<String, Row>>,
}

/// A row as it is stored, with its version.
type Stored = (Refusal, u64);

#[derive(Default)]
struct Row {
    /// Rejected, and not written yet.
    pending: Option<Refusal>,
    /// As it is stored, with its version, as far as this process knows.
    stored: Option<Stored>,
    is_written: bool,
}

impl Row {
    /// Keeps it for the next write.
    fn keep(&mut self, rejected: Refusal) {
        self.pending = Some(match self.pending.take() {
            Some(pending) => pending.plus(&rejected),
            None => rejected,
        });
    }
}

impl Rejections {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<String, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one, and writes it unless somebody does already. What storage refuses is kept for the next write.
    pub(crate) async fn add(&self, tables: &Arc<dyn Tables>, rejected: Refusal) -> Result<(), TableError> {
        let id = rejected.event_id.clone();
        {
            let mut rows = self.rows();
            if rows.len() >= REMEMBERED {
                rows.retain(|_, row| row.pending.is_some() || row.is_written);
            }
            let row = rows.entry(id.clone()).or_default();
            row.keep(rejected);
        }
        self.write(tables, &id).await
    }

    /// Writes what is left, such as what a sender that went away did not wait for.
    pub(crate) async fn write_all(&self, tables: &Arc<dyn Tables>) -> Result<(), TableError> {
        let left = |rows: &BTreeMap<String, Row>| {
            let with_pending = rows.iter().filter(|(_, row)| row.pending.is_some());
            with_pending.map(|(id, _)| id.clone()).collect::<Vec<_>>()
        };
        let ids = left(&self.rows());
        for id in ids {
            self.write(tables, &id).await?;
        }
        Ok(())
    }

    /// Writes a row until nothing of it is left, unless somebody does already.
    async fn write(&self, tables: &Arc<dyn Tables>, id: &str) -> Result<(), TableError> {
        while let Some((mut turn, stored)) = self.turn(id) {
            let written = write(&**tables, &turn.pending, stored).await;
            turn.end(written)?;
        }
        Ok(())
    }

    /// The turn to write a row, with what to add to it.
    fn turn(&self, id: &str) -> Option<(Turn<'_>, Option<Stored>)> {
        let mut rows = self.rows();
        let row = rows.get_mut(id).filter(|row| !row.is_written)?;
        let pending = row.pending.take()?;
        row.is_written = true;
        let turn = Turn { rejections: self, id: id.to_owned(), pending, ended: false };
        Some((turn, row.stored.clone()))
    }
}

/// A write in flight. If its request is dropped, as when a sender goes away, nobody knows whether it was carried out:
/// the row counts as a lower bound from then on.
struct Turn<'a> {
    rejections: &'a Rejections,
    id: String,
    /// What it adds.
    pending: Refusal,
    ended: bool,
}

impl Turn<'_> {
    fn end(&mut self, written: Result<Stored, TableError>) -> Result<(), TableError> {
        self.ended = true;
        let mut rows = self.rejections.rows();
        let row = rows.entry(self.id.clone()).or_default();
        row.is_written = false;
        match written {
            Ok(stored) => {
                row.stored = Some(stored);
                Ok(())
            }
            Err(error) => {
                row.stored = None;
                // What may have been written is not added twice.
                let is_doubtful = matches!(error, TableError::Unknown(_));
                row.keep(if is_doubtful { uncounted(&self.pending) } else { self.pending.clone() });
                Err(error)
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut rows = self.rejections.rows();
        let row = rows.entry(self.id.clone()).or_default();
        row.is_written = false;
        row.stored = None;
        row.keep(uncounted(&self.pending));
    }
}

/// Adds nothing, and says that more happened than is counted.
fn uncounted(pending: &Refusal) -> Refusal {
    Refusal { count: 0, at_least: true, ..pending.clone() }
}

/// Adds to the row as it is stored.
async fn write(tables: &dyn Tables, pending: &Refusal, mut stored: Option<Stored>) -> Result<Stored, TableError> {
    for _ in 0..RACES {
        let (row, version) = match &stored {
            Some((row, version)) => (row.plus(pending), *version),
            None => (pending.clone(), 0),
        };
        let expect = if version == 0 { Expect::Absent } else { Expect::Version(version) };
        let put = Write::Put { table: refusal::TABLE, item: refusal::item(&row, version + 1), expect };
        match tables.transact(Transaction { writes: vec![put], durability: Durability::Ordered }).await {
            Ok(()) => return Ok((row, version + 1)),
            Err(TableError::Conflict(conflicted)) => {
                let current = conflicted.into_iter().find_map(|conflicted| conflicted.current);
                let parsed = current.as_ref().map(|item| (refusal::parse(item).ok().flatten(), item.version));
                stored = parsed.and_then(|(row, version)| Some((row?, version)));
            }
            Err(error) => return Err(error),
        }
    }
    Err(TableError::Conflict(Vec::new()))
}
