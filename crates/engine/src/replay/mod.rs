//! Decides an execution again from its rows: the same transitions on what each row says was observed.
//!
//! Nothing is read, performed or written. What comes out is the head that the rows lead to, or the number of the first
//! row that something else came of.

mod fed;
mod run;

use std::collections::BTreeMap;
use std::sync::Arc;

use pawl_definition::{Definitions, Object};
use serde_json::Value;

use crate::{Execution, Occurrence, Plan, Row};
use run::{Replay, list};

/// Fields of a head that no row tells, with the reason. [`difference`] leaves them out.
const BOOKKEEPING: [(&str, &str); 6] = [
    ("version", "counts writes of the head, also those of no decision, such as a death that the executor counts"),
    ("deaths", "is counted and taken back by the executor, outside of decisions; the next row begins anew"),
    ("expires_at", "follows from the retention of the installation too, which is none of the things that rows name"),
    ("to_tell", "is emptied by the runtime, outside of decisions, once they are told"),
    ("announces_end", "is set by the runtime, which knows who listens, and taken away once they are told"),
    ("since", "is what no row has taken yet, of the decisions after the last one"),
];

/// What a lease has beside its attempt and its time: which invocation holds it, which is chance, and until when, which a
/// process that is alone cuts short when it begins.
const OF_LEASE: [&str; 2] = ["owner", "until"];

/// The token of a callback is chance, and no row may tell it.
const TOKEN: &str = "token";

/// What an execution is decided again from.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'a> {
    /// The revisions of its workflow that its rows name.
    pub plans: &'a BTreeMap<u64, Arc<Plan>>,
    /// The revisions of the objects, and of the other definitions with them, that its rows name.
    pub objects: &'a BTreeMap<u64, (BTreeMap<String, Object>, Definitions)>,
    /// The event that started it.
    pub event: &'a Occurrence,
    /// All of its rows, large values brought back.
    pub rows: &'a [Row],
    /// What its head keeps for the next row.
    pub since: &'a Value,
}

/// Why an execution could not be decided again as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A row is missing, or there is none.
    #[error("expected the row {expected}, found {found:?}")]
    Rows {
        /// The number that was expected.
        expected: u64,
        /// The number that was found.
        found: Option<u64>,
    },
    /// A revision of the workflow is not there.
    #[error("row {seq} was decided with revision {revision} of the workflow, which is not there")]
    NoPlan {
        /// The row.
        seq: u64,
        /// The revision.
        revision: u64,
    },
    /// A revision of the objects is not there.
    #[error("row {seq} was decided with revision {revision} of the objects, which is not there")]
    NoObjects {
        /// The row.
        seq: u64,
        /// The revision.
        revision: u64,
    },
    /// What a row says was observed cannot be read.
    #[error("what row {seq} was decided on cannot be read: {why}")]
    Unreadable {
        /// The row.
        seq: u64,
        /// Why; no word of the value.
        why: String,
    },
    /// Something else comes of what was observed.
    #[error("row {seq} comes out otherwise: {what}")]
    Differs {
        /// The row.
        seq: u64,
        /// What differs: names of fields, or what was decided; no values.
        what: String,
    },
}

/// Decides an execution again: from its creation, row after row, and what was decided since.
///
/// # Errors
/// A row is missing, what it names is not there, or something else comes of it.
pub fn replay(recording: &Recording<'_>) -> Result<Execution, ReplayError> {
    all(Replay::begin(recording)?, recording).map(|replay| replay.head)
}

/// The head as it was when the execution stood before a step for the last time, and had not entered it; `None` if it never
/// did.
pub(crate) fn last_before(recording: &Recording<'_>, step: &str) -> Result<Option<Execution>, ReplayError> {
    let replay = all(Replay::begin(recording)?.watching(step), recording)?;
    Ok(if replay.stands_before() { Some(replay.head) } else { replay.stood })
}

fn all<'a>(mut replay: Replay<'a>, recording: &'a Recording<'a>) -> Result<Replay<'a>, ReplayError> {
    for (expected, row) in (1..).zip(recording.rows.iter().skip(1)) {
        if row.seq != expected {
            return Err(ReplayError::Rows { expected, found: Some(row.seq) });
        }
        replay.row(row)?;
    }
    for observed in list(replay.head.seq + 1, recording.since)? {
        replay.decide(&observed, None)?;
    }
    Ok(replay)
}

/// The fields in which a head differs from what its rows lead to, without those that no row tells.
pub fn difference(replayed: &Execution, head: &Execution) -> Vec<String> {
    differing(&comparable(replayed), &comparable(head))
}

fn comparable(head: &Execution) -> Value {
    let mut value = json_of(head);
    let Some(fields) = value.as_object_mut() else { return value };
    fields.retain(|name, _| BOOKKEEPING.iter().all(|(left_out, _)| left_out != name));
    let leases = fields.get_mut("leases").and_then(Value::as_object_mut);
    for lease in leases.into_iter().flat_map(serde_json::Map::values_mut).filter_map(Value::as_object_mut) {
        lease.retain(|name, _| !OF_LEASE.contains(&name.as_str()));
    }
    let steps = fields.get_mut("steps").and_then(Value::as_object_mut);
    for state in steps.into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(checkpoint) = state.get_mut("checkpoint").and_then(Value::as_object_mut) {
            checkpoint.remove(TOKEN);
        }
    }
    value
}

fn json_of<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("heads and rows are JSON: string keys, finite numbers")
}

/// The names under which two objects differ.
fn differing(one: &Value, other: &Value) -> Vec<String> {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return Vec::new() };
    let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}
