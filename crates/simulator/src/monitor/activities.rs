//! Activities about records: each is made once, in the transaction of its step, and ends once; its rows follow it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_engine::{ActivityStatus, ActivityWrite, Execution, RecordActivity, Row};
use pawl_runtime::items::{activity as stored, due_activity};
use pawl_runtime::ports::{Key, Transaction, Write};

use super::Broken;

/// Activities as they are stored, and the rows by which they are found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activities {
    all: BTreeMap<String, RecordActivity>,
    gone: BTreeSet<String>,
    rows: BTreeSet<Key>,
    /// When they are due, as it is stored apart from them.
    waiting: BTreeMap<String, Timestamp>,
}

impl Activities {
    /// A transaction is committed, with these heads.
    pub(super) fn look(&mut self, transaction: &Transaction, heads: &[Execution], broken: &mut Vec<Broken>) {
        for write in &transaction.writes {
            match write {
                Write::Put { table: stored::TABLE, item, .. } if stored::is_one(&item.key) => {
                    let activity = stored::parse(item).expect("an activity has its shape");
                    self.put(activity, heads, broken);
                }
                Write::Delete { table: stored::TABLE, key, .. } if stored::is_one(key) => {
                    let id = key.partition.trim_start_matches("activity#").to_owned();
                    self.all.remove(&id);
                    self.gone.insert(id);
                }
                Write::Put { table: due_activity::TABLE, item, .. } if is_due(&item.key) => {
                    let due = due_activity::parse(item).expect("it was just made");
                    self.waiting.insert(due.activity, due.at);
                }
                Write::Delete { table: due_activity::TABLE, key, .. } if is_due(key) => {
                    self.waiting.remove(key.partition.trim_start_matches(due_activity::PREFIX));
                }
                Write::Put { table: stored::ROWS, item, .. } if is_row(&item.key) => {
                    self.rows.insert(item.key.clone());
                }
                Write::Delete { table: stored::ROWS, key, .. } if is_row(key) => {
                    self.rows.remove(key);
                }
                _ => {}
            }
        }
    }

    /// Those that are there.
    pub(crate) fn all(&self) -> impl Iterator<Item = &RecordActivity> {
        self.all.values()
    }

    /// When one is due, if it is there.
    pub(crate) fn due(&self, id: &str) -> Option<Timestamp> {
        self.all.get(id)?.due
    }

    /// When those are due that wait to be told.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Timestamp> {
        self.waiting.values().copied()
    }

    fn put(&mut self, after: RecordActivity, heads: &[Execution], broken: &mut Vec<Broken>) {
        let id = &after.id;
        match self.all.get(id) {
            None if after.version != 1 || self.gone.contains(id) => {
                broken.push((4, format!("the activity {id} is written after it has gone")));
            }
            Some(before) if after.version != before.version + 1 => {
                broken.push((
                    4,
                    format!("the activity {id} is written at version {}, after {}", after.version, before.version),
                ));
            }
            Some(before) if before.status != ActivityStatus::Open && before.status != after.status => {
                broken.push((4, format!("the activity {id} was {:?}, and is {:?}", before.status, after.status)));
            }
            _ => {}
        }
        let is_new = after.version == 1;
        if let Some(made_by) = after.execution.as_ref().filter(|_| is_new)
            && !heads.iter().any(|head| head.id == *made_by)
        {
            broken.push((1, format!("the activity {id} was made for {made_by} without a transition of it")));
        }
        self.all.insert(after.id.clone(), after);
    }

    /// Rows are committed: what a step says that it made is there.
    pub(super) fn told(&self, rows: &[Row], broken: &mut Vec<Broken>) {
        let made = |row: &Row| Some(row.output.get("id")?.as_str()?.to_owned()).filter(|id| id.starts_with("act_"));
        for id in rows.iter().filter_map(made).filter(|id| !self.gone.contains(id)) {
            if !self.all.contains_key(&id) {
                broken.push((1, format!("a step says that it made the activity {id}, which is not there")));
            }
        }
    }

    /// At rest the rows are those of the activities that are there.
    pub(crate) fn check(&self, broken: &mut Vec<Broken>) {
        let mut expected = BTreeSet::new();
        for activity in self.all.values() {
            let made = ActivityWrite { before: None, after: activity.clone(), about: Vec::new() };
            let writes = stored::writes(&made);
            expected.extend(
                writes
                    .iter()
                    .map(Write::address)
                    .filter(|(table, _)| *table == stored::ROWS)
                    .map(|(_, key)| key.clone()),
            );
        }
        for key in self.rows.symmetric_difference(&expected) {
            let found =
                if self.rows.contains(key) { "stands although its activity is elsewhere" } else { "is missing" };
            broken.push((1, format!("the row {}/{} of an activity {found}", key.partition, key.sort)));
        }
    }
}

fn is_due(key: &Key) -> bool {
    key.partition.starts_with(due_activity::PREFIX)
}

fn is_row(key: &Key) -> bool {
    key.partition.starts_with("activities#") || key.partition.starts_with("assigned#")
}
