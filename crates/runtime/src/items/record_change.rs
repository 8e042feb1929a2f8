//! A change of a record: which fields, from what to what, when and by whom. The transaction that changes the record writes it,
//! so the history of a record has each of its versions once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{ARCHIVED_AT, json, value};
use pawl_engine::{Execution, Record, RecordWrite, Subject};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Expect, Item, Key, Table, Write};

/// The table: that of the rows by value, which the writers of records write anyway.
pub const TABLE: Table = Table::Keys;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 400)), Erasure::WithRecord);

/// Longest value that a change holds, in bytes of JSON; of a longer one it holds the length.
const VALUE_MOST: usize = 1024;

/// A change of a record. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordChange {
    /// The version that it made, from 1; it is the version of the item.
    #[serde(skip)]
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// By whom or what.
    #[serde(default)]
    pub by: ChangedBy,
    /// What changed, by field; in the archive and out of it, `archived_at` did.
    pub changes: BTreeMap<String, FieldChange>,
}

/// Who or what changed a record. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChangedBy {
    /// A person or system, by the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// A workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// An execution of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// A step of the execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The event by which the workflow made the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// What became of the value of a field. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its value before; absent if it was empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// Its value after; absent if it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl ChangedBy {
    /// A person or system that wrote it by the API.
    pub fn actor(actor: &str) -> Self {
        Self { actor: Some(actor.to_owned()), ..Self::default() }
    }

    /// A step of an execution.
    pub(crate) fn step(execution: &Execution, step: Option<&str>) -> Self {
        let (workflow, id) = (execution.workflow.clone(), execution.id.clone());
        Self { workflow: Some(workflow), execution: Some(id), step: step.map(str::to_owned), ..Self::default() }
    }

    /// An event by which a workflow makes the record.
    pub(crate) fn event(workflow: &str, event: &str) -> Self {
        Self { workflow: Some(workflow.to_owned()), event: Some(event.to_owned()), ..Self::default() }
    }
}

/// The partition of a record's changes.
pub fn partition(record: &Subject) -> String {
    format!("changes#{record}")
}

/// The key of the change that made a version.
pub fn key(record: &Subject, version: u64) -> Key {
    Key::new(partition(record), format!("{version:020}"))
}

/// As stored.
pub fn item(record: &Subject, change: &RecordChange) -> Item {
    let expires_at = KEPT.expires_at(change.at);
    Item {
        key: key(record, change.version),
        version: change.version,
        indexes: Vec::new(),
        expires_at,
        body: body(change),
    }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<RecordChange, Unreadable> {
    Ok(RecordChange { version: item.version, ..read(item)? })
}

/// The write of a change, beside the writes of the record. That one expects the record as it was read, so no version has two.
pub fn write(change: &RecordWrite, by: ChangedBy) -> Write {
    let after = &change.after;
    let changes = changes(change.before.as_ref(), after);
    let told = RecordChange { version: after.version, at: after.updated_at, by, changes };
    Write::Put { table: TABLE, item: item(&after.subject(), &told), expect: Expect::Any }
}

fn changes(before: Option<&Record>, after: &Record) -> BTreeMap<String, FieldChange> {
    let old = |name: &str| before.and_then(|before| before.fields.get(name));
    let names: BTreeSet<_> = before.iter().flat_map(|before| before.fields.keys()).chain(after.fields.keys()).collect();
    let differing = names.into_iter().filter(|name| !value::unchanged(old(name), after.fields.get(*name)));
    let mut changes: BTreeMap<_, _> = differing
        .map(|name| (name.clone(), FieldChange { from: kept(old(name)), to: kept(after.fields.get(name)) }))
        .collect();
    let archived = |at: Option<Timestamp>| at.map(|at| json!(at));
    let (from, to) = (archived(before.and_then(|before| before.archived_at)), archived(after.archived_at));
    if from != to {
        changes.insert(ARCHIVED_AT.to_owned(), FieldChange { from, to });
    }
    changes
}

/// A value as a change holds it.
fn kept(value: Option<&Value>) -> Option<Value> {
    let value = value.filter(|value| !value.is_null())?;
    let bytes = json::bytes(value);
    Some(if bytes <= VALUE_MOST { value.clone() } else { json!({"omitted_bytes": bytes}) })
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, field_name, put, record, storable, subject, text, time, value};
    use crate::items::kept_of;

    fn change() -> impl Strategy<Value = RecordChange> {
        let by = (of(text()), of(text()), of(text()), of(text()), of(text())).prop_map(
            |(actor, workflow, execution, step, event)| ChangedBy { actor, workflow, execution, step, event },
        );
        let value = || of(value().prop_filter("null is absent", |value| !value.is_null()));
        let fields = btree_map(field_name(), (value(), value()).prop_map(|(from, to)| FieldChange { from, to }), 0..3);
        (1_u64.., time(), by, fields).prop_map(|(version, at, by, changes)| RecordChange { version, at, by, changes })
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_change_is_read_as_it_was_stored(record in subject(), change in change()) {
            let item = item(&record, &change);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(change));
        }

        #[test]
        fn later_versions_sort_behind_earlier_ones(record in subject(), one in any::<u64>(), other in any::<u64>()) {
            prop_assert_eq!(key(&record, one).cmp(&key(&record, other)), one.cmp(&other));
        }

        #[test]
        fn the_change_that_makes_a_record_has_its_values(made in record()) {
            let write = write(&RecordWrite { before: None, after: made.clone() }, ChangedBy::actor("ada"));
            let told = parse(&put(write)).expect("it was just made");
            prop_assert_eq!((told.version, told.by), (made.version, ChangedBy::actor("ada")));
            let fields = told.changes.iter().filter(|(name, _)| name.as_str() != ARCHIVED_AT);
            for (name, change) in fields {
                prop_assert_eq!((&change.from, change.to.as_ref()), (&None, made.fields.get(name)));
            }
        }
    }

    #[test]
    fn a_long_value_is_told_by_its_length() {
        let long = json!("x".repeat(VALUE_MOST + 1));
        assert_eq!(kept(Some(&long)), Some(json!({"omitted_bytes": VALUE_MOST + 1})));
        assert_eq!(kept(Some(&json!("short"))), Some(json!("short")));
        assert_eq!(kept(Some(&Value::Null)), None);
    }
}
