//! The executions that have values of one another: an execution and the parts of it.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use pawl_engine::steps::{children_looked_at, children_of_row};
use pawl_engine::{Execution, Observed, Row};

use crate::{Error, History};

/// Rows that are read at once.
const ROWS: usize = 100;

/// Executions that have values of one another.
pub(crate) struct Family {
    /// A part comes before what it is a part of, whose rows name it, so that a crash in between leaves it to be found.
    pub(crate) members: Vec<String>,
    /// The heads of those that are there.
    heads: BTreeMap<String, Execution>,
}

/// An execution with all parts of the whole that it belongs to.
pub(crate) async fn of(history: &History, id: &str) -> Result<Family, Error> {
    let (mut members, mut heads) = (vec![id.to_owned()], BTreeMap::new());
    let mut whole = id.to_owned();
    while let Some(head) = history.execution(&whole).await? {
        let parent = part_of(&head).map(str::to_owned);
        heads.insert(whole, head);
        let Some(parent) = parent else { break };
        members.push(parent.clone());
        whole = parent;
    }
    // The whole is the first from which parts are looked for, and those above the execution are found again among them.
    members.reverse();
    let mut next = 0;
    while let Some(member) = members.get(next).cloned() {
        let named = match heads.get(&member) {
            Some(head) => parts(history, head).await?,
            None => BTreeSet::new(),
        };
        for part in named.into_iter().filter(|part| !members.contains(part)).collect::<Vec<_>>() {
            let Some(head) = history.execution(&part).await?.filter(|head| head.region.is_some()) else { continue };
            heads.insert(part.clone(), head);
            members.push(part);
        }
        next += 1;
    }
    members.reverse();
    Ok(Family { members, heads })
}

impl Family {
    /// Whether an execution is a part of one that has not ended, which takes what the part came to.
    pub(crate) fn needs(&self, id: &str) -> bool {
        let above = |head: &Execution| self.heads.get(part_of(head)?);
        let mut wholes = successors(self.heads.get(id).and_then(above), |head| above(head));
        wholes.any(|whole| !whole.status.is_ended())
    }

    /// Whether an execution had not ended when it was read.
    pub(crate) fn is_open(&self, id: &str) -> bool {
        self.heads.get(id).is_some_and(|head| !head.status.is_ended())
    }
}

/// The execution that one is a part of.
fn part_of(head: &Execution) -> Option<&str> {
    head.parent.as_ref().filter(|_| head.region.is_some()).map(|parent| parent.by.execution.as_str())
}

/// The executions that its head and its rows name as parts of it, and those at which they looked.
async fn parts(history: &History, head: &Execution) -> Result<BTreeSet<String>, Error> {
    // Those of a call in progress stand in no row yet, and those of one that was cut off by a cancel or an edit stand in the head
    // until it has seen their end.
    let mut parts: BTreeSet<String> = children_looked_at(head).into_iter().collect();
    let mut after = None;
    loop {
        let page = history.rows(&head.id, ROWS, after).await?;
        parts.extend(page.items.iter().flat_map(named));
        after = page.next;
        if after.is_none() {
            return Ok(parts);
        }
    }
}

/// Those of which a row tells, and those at which it looked.
fn named(row: &Row) -> Vec<String> {
    let listed = children_of_row(row).into_iter().filter(|child| child.region.is_some());
    listed.map(|child| child.execution).chain(Observed::children_of(row)).collect()
}
