//! An execution's head.

use jiff::Timestamp;
use pawl_engine::{Execution, Status, Subject, Wake};

use super::{Unreadable, body, read, sortable};
use crate::ports::{Index, IndexEntry, Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// The index of executions by when they are due, in the fourth index.
pub const DUE: &str = "due";

/// Its key.
pub fn key(id: &str) -> Key {
    Key::new(format!("execution#{id}"), "head")
}

/// The partition of a workflow's executions, in the first index.
pub fn of_workflow(workflow: &str) -> String {
    format!("workflow#{workflow}")
}

/// The partition of a record's executions, in the second index.
pub fn of_record(record: &Subject) -> String {
    format!("record#{record}")
}

/// The partition of the executions in a state, in the third index.
pub fn of_status(status: Status) -> String {
    format!("status#{status}")
}

/// As stored.
pub fn item(execution: &Execution) -> Item {
    item_with_body(execution, body(execution))
}

/// As stored, with a body that was made before (large values spilled).
pub fn item_with_body(execution: &Execution, body: String) -> Item {
    let at = format!("{}#{}", sortable(execution.created_at), execution.id);
    let entry = |index, partition, sort: &str| IndexEntry { index, partition, sort: sort.to_owned() };
    let mut indexes = vec![
        entry(Index::First, of_workflow(&execution.workflow), &at),
        entry(Index::Third, of_status(execution.status), &at),
    ];
    if let Some(record) = &execution.record {
        indexes.push(entry(Index::Second, of_record(record), &at));
    }
    if let Some(due) = due_key(execution) {
        indexes.push(entry(Index::Fourth, DUE.to_owned(), &due));
    }
    Item { key: key(&execution.id), version: execution.version, indexes, expires_at: None, body }
}

/// Where it stands in the order of due executions. What is due now is rounded up to the minute, so that an
/// execution that runs moves in the index once a minute and not with each step; the sweeper waits longer anyway.
fn due_key(execution: &Execution) -> Option<String> {
    let due = execution.due_at()?;
    let running = execution.lease.is_some() || execution.wake == Wake::Job;
    Some(if running { sortable(next_minute(due)) } else { sortable(due) })
}

fn next_minute(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60) + 60).unwrap_or(at)
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Execution, Unreadable> {
    read(item)
}
