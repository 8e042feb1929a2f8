//! A schedule trigger of an active workflow: its next firing, and the firings that are to start executions.
//!
//! One transaction moves the next firing and writes down those that are due. Each of them is taken away only after it has come
//! to an execution or to a refusal. So no firing is lost, and the id of its event lets none start twice.

use jiff::Timestamp;
use pawl_engine::schedule::Firing;
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::ports::{Index, IndexEntry, Item, Key, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Executions;

/// It is deleted when the workflow or the trigger is switched off, and after its last firing.
pub const KEPT: Kept = Kept::new(Retention::WithWorkflow, Erasure::Nothing);

/// The partition of all schedules in the first index, by the time at which they are due.
pub const ALL: &str = "schedules";

/// The partitions that are spread: many schedules are due in one minute.
pub const SPREAD: &[Spread] = &[Spread::entries(Index::Gsi1, ALL)];

const SCHEDULE: &str = "schedule";

/// Writes of one schedule between two writes of the head of its workflow: versions of different items under one key are so far
/// from each other that a write which was decided for one never meets another.
const VERSIONS: u64 = 1 << 24;

/// A schedule. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Workflow.
    pub workflow: String,
    /// Trigger.
    pub trigger: String,
    /// What says when it fires: of another text the next firing is another one.
    pub text: String,
    /// The next firing; `None` after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// Firings whose time has come, and that have come to nothing yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<Firing>,
    /// A firing that waits until the execution of an earlier one has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<Firing>,
    /// When the queued firing is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
    /// The execution that was started last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl Schedule {
    /// When something is to be done for it; `None` if that is never.
    pub fn due_at(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|firing| firing.at);
        let queued = self.queued.as_ref().and(self.look_at);
        [due, queued, self.next].into_iter().flatten().min()
    }
}

/// The partition of a schedule, alone in it.
pub fn partition(workflow: &str, trigger: &str) -> String {
    format!("schedule#{workflow}#{trigger}")
}

/// The workflow and the trigger of a schedule, by its partition.
pub fn names(partition: &str) -> Option<(&str, &str)> {
    partition.strip_prefix("schedule#")?.split_once('#')
}

/// The key of a schedule.
pub fn key(workflow: &str, trigger: &str) -> Key {
    Key::new(partition(workflow, trigger), SCHEDULE)
}

/// The version of a schedule that is written with a version of the head of its workflow.
pub fn first_version(head: u64) -> u64 {
    head.saturating_mul(VERSIONS)
}

/// A schedule as stored.
pub fn item(schedule: &Schedule, version: u64) -> Item {
    let entry = |at| IndexEntry { index: Index::Gsi1, partition: ALL.to_owned(), sort: sortable(at) };
    let indexes = schedule.due_at().map(entry).into_iter().collect();
    Item { key: key(&schedule.workflow, &schedule.trigger), version, indexes, expires_at: None, body: body(schedule) }
}

/// Reads a schedule.
pub fn parse(item: &Item) -> Result<Schedule, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, part_id, storable, time, workflow_id};
    use crate::items::kept_of;

    fn firing() -> impl Strategy<Value = Firing> {
        (time(), 0_u64..1_000).prop_map(|(at, missed)| Firing { at, missed })
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_schedule_is_read_as_it_was_stored(
            workflow in workflow_id(), trigger in part_id(), text in ".{0,20}", next in of(time()), due in vec(firing(), 0..3),
            queued in of(firing()), look_at in of(time()), last in of(part_id()), version in 1_u64..,
        ) {
            let schedule = Schedule { workflow, trigger, text, next, due, queued, look_at, last };
            let item = item(&schedule, version);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(names(&item.key.partition), Some((schedule.workflow.as_str(), schedule.trigger.as_str())));
            prop_assert_eq!(parse(&item), Ok(schedule));
        }
    }
}
