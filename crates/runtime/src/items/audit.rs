//! What people did to a workflow, to a record, to many executions or to the whole installation: its kill switch, redrives,
//! what was forgotten, tracked actions.

use pawl_engine::{Act, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::offload::sha256;
use crate::ports::{Expect, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::Forever, Erasure::RecordId);

/// The partition of all entries.
pub const PARTITION: &str = "audit";

/// What was done. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Everything was stopped.
    Kill,
    /// The kill was lifted.
    Lift,
    /// What was given up was sent on its way again.
    Redrive,
    /// A record was forgotten.
    Forget,
    /// Many executions were acted on, or started.
    Action,
}

/// How far an action was. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It began to act.
    Begun,
    /// A person paused it.
    Paused,
    /// A person let it go on.
    Resumed,
    /// A person canceled it.
    Canceled,
    /// It was over.
    Completed,
}

/// What an entry says of a tracked action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionEntry {
    /// Its operation.
    pub id: String,
    /// What it does, in a word.
    pub action: String,
    /// How far it was.
    pub stage: Stage,
    /// Whom it concerns. Expressions and lists stand in the operation alone.
    pub filter: Value,
    /// How many it found before it began.
    pub found: u64,
    /// What came of it by then.
    pub counts: Value,
}

/// One entry; never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was done.
    pub deed: Deed,
    /// To this workflow; none is the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// To this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Subject>,
    /// To many executions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionEntry>,
    /// By whom, when and why.
    pub act: Act,
}

impl Entry {
    /// The entry of a kill, or of its end.
    pub fn of_kill(killed: bool, workflow: Option<&str>, act: &Act) -> Self {
        let deed = if killed { Deed::Kill } else { Deed::Lift };
        Self { deed, workflow: workflow.map(str::to_owned), record: None, action: None, act: act.clone() }
    }

    /// The entry of a tracked action.
    pub fn of_action(workflow: Option<&str>, action: ActionEntry, act: &Act) -> Self {
        let workflow = workflow.map(str::to_owned);
        Self { deed: Deed::Action, workflow, record: None, action: Some(action), act: act.clone() }
    }
}

/// The write of an entry, beside the change that it tells of; `version` is the one that the change makes.
pub fn write(entry: &Entry, version: u64) -> Write {
    let subject = entry.workflow.as_deref().map_or("installation".to_owned(), |id| format!("workflow/{id}"));
    put(entry, &format!("{subject}#{version}"))
}

/// The write of a redrive's entry. It changes nothing that has a version.
pub fn write_redrive(act: &Act) -> Write {
    let entry = Entry { deed: Deed::Redrive, workflow: None, record: None, action: None, act: act.clone() };
    put(&entry, &format!("redrive#{}", act.actor))
}

/// The write of the entry of a record that is forgotten; `version` is the one of its tombstone.
pub fn write_forget(record: &Subject, version: u64, act: &Act) -> Write {
    let entry =
        Entry { deed: Deed::Forget, workflow: None, record: Some(record.clone()), action: None, act: act.clone() };
    // Of an id of any length, a digest stands in the key.
    put(&entry, &format!("record/{}#{version}", sha256(record.to_string().as_bytes())))
}

/// The write of the entry of an action; `version` is the one that its operation has then.
pub fn write_action(entry: &Entry, version: u64) -> Write {
    let id = entry.action.as_ref().map_or("", |action| &action.id);
    put(entry, &format!("operation/{id}#{version}"))
}

fn put(entry: &Entry, what: &str) -> Write {
    let key = Key::new(PARTITION, format!("{}#{what}", sortable(entry.act.at)));
    let item = Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: body(entry) };
    Write::Put { table: TABLE, item, expect: Expect::Any }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Entry, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    use super::*;
    use crate::items::arbitrary::{act, few, put, storable, subject, workflow_id};
    use crate::items::kept_of;

    fn entry() -> impl Strategy<Value = Entry> {
        (select(vec![Deed::Kill, Deed::Lift, Deed::Redrive]), of(workflow_id()), act())
            .prop_map(|(deed, workflow, act)| Entry { deed, workflow, record: None, action: None, act })
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn an_entry_is_read_as_it_was_stored(entry in entry(), version in 1_u64..) {
            let item = put(write(&entry, version));
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(entry));
        }

        #[test]
        fn a_redrive_is_read_as_it_was_stored(act in act()) {
            let item = put(write_redrive(&act));
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(Entry { deed: Deed::Redrive, workflow: None, record: None, action: None, act }));
        }

        #[test]
        fn what_was_forgotten_is_read_as_it_was_stored(record in subject(), act in act(), version in 1_u64..) {
            let item = put(write_forget(&record, version, &act));
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            let entry = Entry { deed: Deed::Forget, workflow: None, record: Some(record), action: None, act };
            prop_assert_eq!(parse(&item), Ok(entry));
        }

        #[test]
        fn an_action_is_read_as_it_was_stored(id in workflow_id(), found in 0_u64..9, act in act(), version in 1_u64..) {
            let (filter, counts) = (json!({"code": "http_status"}), json!({"done": 2}));
            let action = ActionEntry { id, action: "retry".to_owned(), stage: Stage::Begun, filter, found, counts };
            let entry = Entry::of_action(Some("w"), action, &act);
            let item = put(write_action(&entry, version));
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(entry));
        }

        #[test]
        fn entries_stand_in_the_order_of_time(one in entry(), other in entry()) {
            let key = |entry: &Entry| put(write(entry, 1)).key;
            if sortable(one.act.at) < sortable(other.act.at) {
                prop_assert!(key(&one) < key(&other));
            }
        }
    }
}
