//! A start that was refused, for people to see. It stands where the execution's head would: of one event and one workflow
//! only one of the two can be.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Event, Subject, ids};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::execution;
use super::{Erasure, Kept, NEITHER, Retention, Unreadable, body, read, sortable, unreadable};
use crate::ports::{Index, IndexEntry, Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long refusals are kept, with the events that can be replayed.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 30)), Erasure::WhenExpired);

/// The partitions that are spread: each event may be refused.
pub const SPREAD: &[Spread] = &[Spread::entries(Index::Gsi1, "refusals")];

/// A start that was refused, or a delivery that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Workflow.
    pub workflow: String,
    /// Trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Event, or a fresh id of a delivery that became none.
    pub event_id: String,
    /// Record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Subject>,
    /// Stable code: `filtered`, `inactive`, `reentry`, `cooldown`, `depth_limit`, `signature_mismatch`…
    pub code: String,
    /// In words; of several, why the last.
    pub message: String,
    /// What the event is a part of, if it was collected with others: that is no refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<Collected>,
    /// When the event happened, or the last of the deliveries that were rejected alike.
    pub at: Timestamp,
    /// When the first of them came, if it was not at `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Timestamp>,
    /// How many they are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
    /// They may be more: the outcome of a write was unknown, or storage refused it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_least: bool,
    /// The event is kept with it, so that it can be replayed.
    #[serde(skip)]
    pub has_event: bool,
}

/// What an event that was collected with others is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// The execution that starts by them.
    pub execution: String,
    /// The partition of their window.
    pub window: String,
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_one(count: &u64) -> bool {
    *count == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Refusal {
    /// When the first of what it counts happened.
    pub fn first_at(&self) -> Timestamp {
        self.first_at.unwrap_or(self.at)
    }

    /// The two as one row: they are about the same trigger and code.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let newer = if other.at >= self.at { other } else { self };
        let first = self.first_at().min(other.first_at());
        Self {
            first_at: Some(first).filter(|first| *first != newer.at),
            count: self.count.saturating_add(other.count),
            at_least: self.at_least || other.at_least,
            ..newer.clone()
        }
    }

    /// Its id.
    pub fn id(&self) -> String {
        id_of(&ids::execution_id(&self.event_id, &self.workflow))
    }

    /// Whether it stands, however often the event is delivered. That of an event that was given up does not: once its
    /// message is sent back, it is decided anew.
    pub fn stands(&self) -> bool {
        self.code != "dead_letter"
    }
}

/// The partition of a workflow's refusals in the first index, by time.
pub fn partition(workflow: &str) -> String {
    format!("refusals#{workflow}")
}

/// How ids of refusals begin.
const PREFIX: &str = "ref_";

/// The execution in whose place the refusal with an id stands.
pub fn execution_of(id: &str) -> Option<String> {
    Some(format!("exe_{}", id.strip_prefix(PREFIX)?))
}

/// The id of the refusal that stands in the place of an execution.
pub fn id_of(execution: &str) -> String {
    execution.replacen("exe_", PREFIX, 1)
}

/// Its key.
pub fn key(workflow: &str, event_id: &str) -> Key {
    execution::key(&ids::execution_id(event_id, workflow))
}

#[derive(Serialize)]
struct Borrowed<'a> {
    refusal: &'a Refusal,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Event>,
}

#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    refusal: Option<Refusal>,
    #[serde(default)]
    execution: Option<IgnoredAny>,
    #[serde(default)]
    event: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct StoredEvent {
    #[serde(default)]
    event: Option<Event>,
}

/// As stored.
pub fn item(refusal: &Refusal, version: u64) -> Item {
    item_with_event(refusal, None, version)
}

/// As stored with its event, large parts of which belong to the execution in whose place it stands.
pub fn item_with_event(refusal: &Refusal, event: Option<&Event>, version: u64) -> Item {
    let by_time = IndexEntry {
        index: Index::Gsi1,
        partition: partition(&refusal.workflow),
        sort: format!("{}#{}", sortable(refusal.at), refusal.event_id),
    };
    Item {
        key: key(&refusal.workflow, &refusal.event_id),
        version,
        indexes: vec![by_time],
        expires_at: KEPT.expires_at(refusal.at),
        body: body(&Borrowed { refusal, event }),
    }
}

/// Reads it; `None` if the event started an execution.
pub fn parse(item: &Item) -> Result<Option<Refusal>, Unreadable> {
    let Stored { refusal, execution, event } = read(item)?;
    let is_either = refusal.is_some() || execution.is_some();
    let refusal = refusal.map(|refusal| Refusal { has_event: event.is_some(), ..refusal });
    if is_either { Ok(refusal) } else { Err(unreadable(item, NEITHER)) }
}

/// Reads the event that is kept with a refusal.
pub fn event(item: &Item) -> Result<Option<Event>, Unreadable> {
    read::<StoredEvent>(item).map(|stored| stored.event)
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{
        derived_id, event as any_event, few, part_id, storable, subject, text, time, workflow_id,
    };
    use crate::items::kept_of;

    fn refusal() -> impl Strategy<Value = Refusal> {
        let is = (
            workflow_id(),
            of(part_id()),
            derived_id("evt"),
            of(subject()),
            part_id(),
            text(),
            of((derived_id("exe"), text())),
        );
        (is, time(), of(time()), any::<u64>(), any::<bool>()).prop_map(|(is, at, first_at, count, at_least)| {
            let (workflow, trigger, event_id, record, code, message, collected) = is;
            let collected = collected.map(|(execution, window)| Collected { execution, window });
            #[rustfmt::skip]
            let refusal = Refusal {
                workflow, trigger, event_id, record, code, message, collected, at, first_at, count, at_least,
                has_event: false,
            };
            refusal
        })
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_refusal_is_read_as_it_was_stored(refusal in refusal(), version in 1_u64..) {
            let item = item(&refusal, version);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            let in_its_place = execution::key(&ids::execution_id(&refusal.event_id, &refusal.workflow));
            prop_assert_eq!(&item.key, &in_its_place, "it stands where the head would");
            prop_assert_eq!(execution::parse(&item), Ok(None), "a refusal is no execution");
            prop_assert_eq!(execution::parse_whole(&item), Ok(None));
            prop_assert_eq!(parse(&item), Ok(Some(refusal.clone())));
            prop_assert_eq!(event(&item), Ok(None));
            prop_assert_eq!(execution_of(&refusal.id()).map(|id| execution::key(&id)), Some(item.key));
        }

        #[test]
        fn the_event_of_a_refusal_is_read_as_it_was_stored(refusal in refusal(), kept in any_event()) {
            let item = item_with_event(&refusal, Some(&kept), 1);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(parse(&item), Ok(Some(Refusal { has_event: true, ..refusal })));
            prop_assert_eq!(execution::parse(&item), Ok(None), "a refusal is no execution");
            prop_assert_eq!(event(&item), Ok(Some(kept)));
        }

        #[test]
        fn refusals_of_a_workflow_stand_in_the_order_of_time(one in refusal(), other in refusal()) {
            let by_time = |refusal: &Refusal| item(refusal, 1).indexes.remove(0).sort;
            if sortable(one.at) < sortable(other.at) {
                prop_assert!(by_time(&one) < by_time(&other));
            }
        }
    }
}
