//! What a decision observed outside its execution's head. History rows keep it, so that they suffice to decide again.
//!
//! - [`Observed`] is what one decision observed: its input, and what it read of records, counters and switches.
//! - [`given`]: the input, without what its row has anyway.
//! - [`seen`]: a record, as far as the decision may have read it.
//! - [`note`]: the one place that fills it in, at the end of every transition.
//!
//! Names in JSON are short: rows are paid by the kilobyte, and most stand in the head for some time.

mod given;
mod note;
mod seen;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ChildSeen, LookedUp, Lookup, Row, Usage};

pub use given::{Answer, Asked, Given, Looked};
pub use seen::Seen;

pub(crate) use note::note;

/// What one decision observed outside the head. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Observed {
    /// The time; of a row's own decision, the row's, and of a claim before it, when the row's attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The revision of the workflow, if it is not the row's.
    #[serde(rename = "rev", default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The revision of the objects, if it may have read one.
    #[serde(rename = "obj", default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// The input.
    #[serde(rename = "in", default, skip_serializing_if = "Given::is_run")]
    pub given: Given,
    /// The record of the execution, if it may have read it.
    #[serde(rename = "rec", default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Seen>,
    /// Related records by relationship.
    #[serde(rename = "rel", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub related: BTreeMap<String, Vec<Seen>>,
    /// Records that it looked up.
    #[serde(rename = "look", default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<LookupSeen>,
    /// Whose claim it found, if it found one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseSeen>,
    /// A kill of the workflow or the installation held it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub killed: bool,
    /// No slot was free.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_place: bool,
    /// The slot that was free: its block, or with a key its number.
    #[serde(default, skip_serializing_if = "is_first")]
    pub slot: u16,
    /// The key of `limits.concurrency`, which was computed when the execution was created.
    #[serde(rename = "key", default, skip_serializing_if = "Option::is_none")]
    pub slot_key: Option<String>,
    /// How often a process had died in the step, as the executor counts it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deaths: u32,
    /// What models had cost that day, if it may have asked one.
    #[serde(default, skip_serializing_if = "Usage::is_zero")]
    pub spent: Usage,
    /// What they had cost all parts of its tree, if it is one.
    #[serde(rename = "parts", default, skip_serializing_if = "Usage::is_zero")]
    pub spent_by_parts: Usage,
    /// The topic of the token that it made for a callback. The token is chance, and stands in no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    /// The children that it waited for.
    #[serde(rename = "kids", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, ChildSeen>,
    /// The execution that had waited for it and was canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphan: Option<String>,
}

/// What a decision looked up by the value of a unique field. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LookupSeen {
    /// What it looked for.
    #[serde(rename = "by")]
    pub lookup: Lookup,
    /// The record; absent if none had the value.
    #[serde(rename = "rec", default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Seen>,
}

impl LookupSeen {
    /// Of what was found.
    fn of(found: &LookedUp) -> Self {
        let record = found.record.as_ref().map(|record| Seen::other(record, &seen::Part::Whole));
        Self { lookup: found.lookup.clone(), record }
    }

    /// What was found; `None` if the record has no name.
    pub(crate) fn found(&self) -> Option<LookedUp> {
        let record = self.record.as_ref().map(|seen| seen.record(None).ok_or(())).transpose().ok()?;
        Some(LookedUp { lookup: self.lookup.clone(), record })
    }
}

/// Whose claim a message found when it let an execution go on. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseSeen {
    /// Its own: the answer to the claim's write was lost.
    Own,
    /// One of another invocation, which is over.
    Over,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_first(slot: &u16) -> bool {
    *slot == 0
}

impl Observed {
    /// Reads what a row or a head keeps; the newest is the last.
    ///
    /// # Errors
    /// It has another shape, such as that of a reference to a value that was not brought back.
    pub fn list(stored: &Value) -> Result<Vec<Self>, serde_json::Error> {
        if stored.is_null() { Ok(Vec::new()) } else { Vec::deserialize(stored) }
    }

    /// The children at which those of a row looked; none of a row that lost what it was decided on.
    pub fn children_of(row: &Row) -> Vec<String> {
        let list = Self::list(&row.observed).unwrap_or_default();
        list.into_iter().flat_map(|observed| observed.children.into_keys()).collect()
    }

    /// As a row or a head keeps it; null if there is nothing to keep.
    pub(crate) fn stored(list: &[Self]) -> Value {
        if list.is_empty() || *list == [Self::default()] {
            return Value::Null;
        }
        serde_json::to_value(list).expect("what is observed is JSON: string keys, finite numbers")
    }
}
