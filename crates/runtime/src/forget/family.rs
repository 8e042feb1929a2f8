//! The executions that have values of one another: an execution and the parts of it.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use pawl_engine::steps::{children_looked_at, children_of_row};
use pawl_engine::{Execution, Observed, Row};

use crate::{Error, History};

/// Rows that are read at once.
const ROWS: usize = 100;

/// An execution with all parts of the whole that it belongs to. A part comes before what it is a part of, whose rows name it,
/// so that a crash in between leaves it to be found.
pub(crate) async fn of(history: &History, id: &str) -> Result<Vec<String>, Error> {
    let mut family = vec![whole(history, id).await?];
    let mut known: BTreeSet<String> = family.iter().cloned().collect();
    let mut next = 0;
    while let Some(member) = family.get(next).cloned() {
        for part in parts(history, &member).await? {
            if known.insert(part.clone()) {
                family.push(part);
            }
        }
        next += 1;
    }
    if known.insert(id.to_owned()) {
        family.push(id.to_owned());
    }
    family.reverse();
    Ok(family)
}

/// Those of a family that have ended and are parts of one that has not.
pub(crate) async fn needed(history: &History, family: &[String]) -> Result<BTreeSet<String>, Error> {
    let mut heads = BTreeMap::new();
    for id in family {
        heads.extend(history.execution(id).await?.map(|head| (id.as_str(), head)));
    }
    let above = |head: &Execution| {
        let parent = head.parent.as_ref().filter(|_| head.region.is_some())?;
        heads.get(parent.by.execution.as_str())
    };
    let is_needed = |head: &Execution| {
        head.status.is_ended() && successors(above(head), |head| above(head)).any(|head| !head.status.is_ended())
    };
    Ok(heads.values().filter(|head| is_needed(head)).map(|head| head.id.clone()).collect())
}

/// The execution that this one is a part of, at any depth; itself, if it is none.
async fn whole(history: &History, id: &str) -> Result<String, Error> {
    let mut whole = id.to_owned();
    while let Some(execution) = history.execution(&whole).await? {
        match execution.parent.filter(|_| execution.region.is_some()) {
            Some(parent) => whole = parent.by.execution,
            None => break,
        }
    }
    Ok(whole)
}

async fn parts(history: &History, id: &str) -> Result<Vec<String>, Error> {
    let Some(execution) = history.execution(id).await? else { return Ok(Vec::new()) };
    // Those of a call in progress stand in no row yet, and those of one that was cut off by a cancel or an edit stand in the head
    // until it has seen their end.
    let mut parts = children_looked_at(&execution);
    let mut after = None;
    loop {
        let page = history.rows(id, ROWS, after).await?;
        parts.extend(page.items.iter().flat_map(named));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut own = Vec::new();
    for part in parts.into_iter().collect::<BTreeSet<_>>() {
        let is_part = history.execution(&part).await?.is_some_and(|part| part.region.is_some());
        own.extend(Some(part).filter(|_| is_part));
    }
    Ok(own)
}

/// Those of which a row tells, and those at which it looked.
fn named(row: &Row) -> Vec<String> {
    let listed = children_of_row(row).into_iter().filter(|child| child.region.is_some());
    listed.map(|child| child.execution).chain(Observed::children_of(row)).collect()
}
