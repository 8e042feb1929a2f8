//! Transactions: all expectations are checked first, then all writes are applied, so nothing is ever undone and
//! many transactions share one open transaction of the file without savepoints.

use std::sync::Arc;

use pawl_runtime::ports::rules::{add_to_counter, counter_body};
use pawl_runtime::ports::{
    Conflicted, Expect, Item, Key, Message, Table, TableError, Transaction, Write, stream_message,
};
use rusqlite::{Connection, Result, Row};

use super::recent::{Known, News};
use super::rows::{self, Changed, ItemStatements};

/// What a transaction came to. An error of the file is not among these: the store stops at one.
pub(super) enum Outcome {
    /// Applied.
    Applied {
        /// Stream messages that belong to it.
        messages: Vec<Message>,
        /// What now stands at its keys.
        news: Vec<News>,
    },
    /// Nothing was written.
    Refused(TableError),
}

/// One write once its expectation holds.
enum Step {
    Insert(Table, Item),
    /// The row's number, the item, and which columns it changes.
    Update(Table, i64, Item, Changed),
    Delete(Table, i64, Key),
    Nothing,
}

/// What one write came to.
enum Checked {
    Step(Step, Option<Message>),
    Conflict(Option<Item>),
    Invalid(TableError),
}

/// Applies a valid transaction at a time (in microseconds) or refuses it.
pub(super) fn transact(
    connection: &Connection,
    statements: &ItemStatements,
    transaction: Transaction,
    now: i64,
) -> Result<Outcome> {
    let mut steps = Vec::with_capacity(transaction.writes.len());
    let mut messages = Vec::new();
    let mut conflicts = Vec::new();
    let check = Check { connection, statements, now };
    for (index, write) in transaction.writes.into_iter().enumerate() {
        match check.check(write)? {
            Checked::Step(step, message) => {
                steps.push(step);
                messages.extend(message);
            }
            Checked::Conflict(current) => conflicts.push(Conflicted { index, current }),
            Checked::Invalid(error) => return Ok(Outcome::Refused(error)),
        }
    }
    if !conflicts.is_empty() {
        return Ok(Outcome::Refused(TableError::Conflict(conflicts)));
    }
    let mut news = Vec::with_capacity(steps.len());
    for step in steps {
        news.extend(apply(connection, statements, step)?);
    }
    Ok(Outcome::Applied { messages, news })
}

fn apply(connection: &Connection, statements: &ItemStatements, step: Step) -> Result<Option<News>> {
    Ok(match step {
        Step::Insert(table, item) => {
            statements.of(table).insert(connection, &item)?;
            // What is in no index is mostly history, seldom read again.
            Some(if item.indexes.is_empty() { forget(table, item) } else { remember(table, item) })
        }
        Step::Update(table, id, item, changed) => {
            statements.of(table).update(connection, id, &item, changed)?;
            Some(remember(table, item))
        }
        Step::Delete(table, id, key) => {
            statements.of(table).delete(connection, id)?;
            Some(News { table, key, known: Known::Absent })
        }
        Step::Nothing => None,
    })
}

fn remember(table: Table, mut item: Item) -> News {
    item.indexes.sort_by_key(|entry| entry.index);
    News { table, key: item.key.clone(), known: Known::Item(Arc::new(item)) }
}

fn forget(table: Table, item: Item) -> News {
    News { table, key: item.key, known: Known::Unknown }
}

/// What stands at a key, as far as a write needs to know.
struct Standing {
    id: i64,
    /// None if it expired.
    version: Option<u64>,
    /// Read only where it is needed.
    item: Option<Item>,
}

struct Check<'a> {
    connection: &'a Connection,
    statements: &'a ItemStatements,
    now: i64,
}

impl Check<'_> {
    fn check(&self, write: Write) -> Result<Checked> {
        match write {
            Write::Put { table, item, expect } => self.put(table, item, expect),
            Write::Delete { table, key, expect } => self.delete(table, key, expect),
            Write::Check { table, key, expect } => {
                let standing = self.find(table, &key, |row, version| wanted(row, !expect.holds(version)))?;
                let held = holds(expect, standing.as_ref());
                Ok(if held { Checked::Step(Step::Nothing, None) } else { conflict(standing) })
            }
            Write::Add { table, key, amount, at_most } => self.add(table, key, amount, at_most),
        }
    }

    fn put(&self, table: Table, item: Item, expect: Expect) -> Result<Checked> {
        let streamed = table == Table::Records;
        let mut changed = None;
        let standing = self.find(table, &item.key, |row, version| {
            changed = Some(Changed::between(row, &item)?);
            wanted(row, streamed || !expect.holds(version))
        })?;
        if !holds(expect, standing.as_ref()) {
            return Ok(conflict(standing));
        }
        let old = standing.as_ref().and_then(|standing| standing.item.as_ref());
        let message = if streamed { stream_message(old, Some(&item)) } else { None };
        let step = match (standing, changed) {
            (Some(standing), Some(changed)) => Step::Update(table, standing.id, item, changed),
            _ => Step::Insert(table, item),
        };
        Ok(Checked::Step(step, message))
    }

    fn delete(&self, table: Table, key: Key, expect: Expect) -> Result<Checked> {
        let streamed = table == Table::Records;
        let standing = self.find(table, &key, |row, version| wanted(row, streamed || !expect.holds(version)))?;
        if !holds(expect, standing.as_ref()) {
            return Ok(conflict(standing));
        }
        let old = standing.as_ref().and_then(|standing| standing.item.as_ref());
        let message = if streamed { stream_message(old, None) } else { None };
        let step = standing.map_or(Step::Nothing, |standing| Step::Delete(table, standing.id, key));
        Ok(Checked::Step(step, message))
    }

    fn add(&self, table: Table, key: Key, amount: i64, at_most: Option<i64>) -> Result<Checked> {
        let standing = self.find(table, &key, |row, _| wanted(row, true))?;
        // What replaces an expired item takes nothing over from it.
        let row = standing
            .as_ref()
            .map(|found| (found.id, if found.version.is_some() { Changed::NOTHING } else { Changed::EVERYTHING }));
        let current = standing.and_then(|standing| standing.item);
        let count = match add_to_counter(current.as_ref().map(|item| item.body.as_str()), amount, at_most) {
            Ok(Some(count)) => count,
            Ok(None) => return Ok(Checked::Conflict(current)),
            Err(error) => return Ok(Checked::Invalid(error)),
        };
        let empty = Item { key, version: 0, indexes: Vec::new(), expires_at: None, body: String::new() };
        let item = current.unwrap_or(empty);
        let item = Item { version: item.version + 1, body: counter_body(count), ..item };
        let step = match row {
            Some((id, changed)) => Step::Update(table, id, item, changed),
            None => Step::Insert(table, item),
        };
        Ok(Checked::Step(step, None))
    }

    /// Finds what stands at a key; the function sees the row and the version as expectations see it, and reads the
    /// item if it is needed.
    fn find(
        &self,
        table: Table,
        key: &Key,
        read: impl FnOnce(&Row<'_>, Option<u64>) -> Result<Option<Item>>,
    ) -> Result<Option<Standing>> {
        self.statements.of(table).find(self.connection, key, |row| {
            let live = rows::is_live(row, self.now)?;
            let version = if live { Some(rows::version(row)?) } else { None };
            let item = read(row, version)?.filter(|_| live);
            Ok(Standing { id: rows::id(row)?, version, item })
        })
    }
}

fn wanted(row: &Row<'_>, needed: bool) -> Result<Option<Item>> {
    if needed { rows::read(row).map(Some) } else { Ok(None) }
}

/// Whether an expectation holds of what stands there.
fn holds(expect: Expect, standing: Option<&Standing>) -> bool {
    expect.holds(standing.and_then(|standing| standing.version))
}

/// The conflict that shows what stands there.
fn conflict(standing: Option<Standing>) -> Checked {
    Checked::Conflict(standing.and_then(|standing| standing.item))
}
