//! A workflow: its head and its revisions.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_engine::Act;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::copies::Copied;
use crate::ports::{Index, IndexEntry, Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::WithWorkflow, Erasure::Nothing);

/// A head is copied: each transition reads that of its workflow.
pub const COPIED: Copied = Copied { kind: "workflow", sort: "head" };

/// The partition of all workflows, in the first index.
pub const ALL: &str = "workflows";

/// Before the number in the sort key of a revision.
pub const REVISION_PREFIX: &str = "revision#";

/// The head: what changes without a new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Workflow.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Owner.
    pub owner: String,
    /// Present revision, from 1.
    pub revision: u64,
    /// Counts writes of the head.
    pub version: u64,
    /// Its triggers listen.
    pub active: bool,
    /// Since when: what happened before starts nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_since: Option<Timestamp>,
    /// An execution keeps the revision it began with.
    #[serde(default)]
    pub pinned: bool,
    /// Present while it is killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed: Option<Act>,
    /// Present while the breaker suspends its triggers; the reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Act>,
    /// The terms under which it is listed (see `listener`); none while it is inactive.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub listed: BTreeSet<String>,
    /// The triggers whose next firing is stored (see `schedule`); none while it is inactive.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub schedules: BTreeSet<String>,
    /// What says when its date triggers fire; none while it is inactive, or without such triggers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<String>,
    /// When it was last saved.
    pub saved_at: Timestamp,
}

/// One revision; never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Number, from 1.
    pub revision: u64,
    /// Who saved it.
    pub saved_by: String,
    /// When.
    pub saved_at: Timestamp,
    /// The workflow as written, as JSON.
    pub source: Value,
}

/// The key of a head.
pub fn head_key(id: &str) -> Key {
    Key::new(format!("workflow#{id}"), "head")
}

/// A head as stored.
pub fn head_item(head: &Head) -> Item {
    let indexes = vec![IndexEntry { index: Index::Gsi1, partition: ALL.to_owned(), sort: head.id.clone() }];
    Item { key: head_key(&head.id), version: head.version, indexes, expires_at: None, body: body(head) }
}

/// Reads a head.
pub fn parse_head(item: &Item) -> Result<Head, Unreadable> {
    read(item)
}

/// The key of a revision.
pub fn revision_key(id: &str, revision: u64) -> Key {
    Key::new(format!("workflow#{id}"), format!("{REVISION_PREFIX}{revision:010}"))
}

/// A revision as stored.
pub fn revision_item(id: &str, revision: &Revision) -> Item {
    let key = revision_key(id, revision.revision);
    Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: body(revision) }
}

/// Reads a revision.
pub fn parse_revision(item: &Item) -> Result<Revision, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{act, few, filled, storable, text, time, value, workflow_id};
    use crate::items::kept_of;

    fn head() -> impl Strategy<Value = Head> {
        let says = (workflow_id(), text(), text(), any::<bool>(), any::<bool>());
        (
            says,
            any::<[u64; 2]>(),
            of(time()),
            of(act()),
            of(act()),
            [btree_set(filled(), 0..3), btree_set(filled(), 0..3)],
            (of(text()), time()),
        )
            .prop_map(
                |(
                    says,
                    [revision, version],
                    active_since,
                    killed,
                    suspended,
                    [listed, schedules],
                    (dates, saved_at),
                )| {
                    let (id, name, owner, active, pinned) = says;
                    Head {
                        id,
                        name,
                        owner,
                        revision,
                        version,
                        active,
                        active_since,
                        pinned,
                        killed,
                        suspended,
                        listed,
                        schedules,
                        dates,
                        saved_at,
                    }
                },
            )
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_head_is_read_as_it_was_stored(head in head()) {
            let item = head_item(&head);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse_head(&item), Ok(head));
        }

        #[test]
        fn a_revision_is_read_as_it_was_stored(
            id in workflow_id(), revision in 1_u64..10_000_000_000, saved_by in text(), saved_at in time(), source in value(),
        ) {
            let revision = Revision { revision, saved_by, saved_at, source };
            let item = revision_item(&id, &revision);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert!(item.key.sort.starts_with(REVISION_PREFIX));
            prop_assert_eq!(parse_revision(&item), Ok(revision));
        }

        #[test]
        fn revisions_of_a_workflow_stand_in_order(
            id in workflow_id(), one in 0_u64..10_000_000_000, other in 0_u64..10_000_000_000,
        ) {
            prop_assert_eq!(revision_key(&id, one).cmp(&revision_key(&id, other)), one.cmp(&other));
        }
    }
}
