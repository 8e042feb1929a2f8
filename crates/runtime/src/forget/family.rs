//! The executions that have values of one another: an execution and the parts of it.

use std::collections::BTreeSet;

use pawl_engine::steps::{awaited_children, children_of_row};

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
    // Those of a call in progress stand in no row yet.
    let mut parts = awaited_children(&execution);
    let mut after = None;
    loop {
        let page = history.rows(id, ROWS, after).await?;
        let listed = page.items.iter().flat_map(children_of_row);
        parts.extend(listed.filter(|child| child.region.is_some()).map(|child| child.execution));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut own = Vec::new();
    for part in parts {
        let is_part = history.execution(&part).await?.is_some_and(|part| part.region.is_some());
        own.extend(Some(part).filter(|_| is_part));
    }
    Ok(own)
}
