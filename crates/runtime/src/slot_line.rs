//! Who waits for a slot of `limits.concurrency`, and who holds those that are taken: for people.

use async_recursion::async_recursion as boxed;
use pawl_engine::{Execution, Status};

use crate::items::{line, slot};
use crate::ports::{Query, Tables};
use crate::{Core, Error, Filter, History, ListScope, StatePartition};

/// Executions of a line that are read: who stands behind them is told that.
const READ_MOST: usize = 200;

/// Holders that are named.
const NAMED_MOST: usize = 3;

/// Executions of one state that are looked through for holders of slots without a key.
const LOOKED_MOST: usize = 200;

/// The line of one workflow, or of one key of its limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlotLine {
    /// The executions that wait, by id: first those who wait longest. At most 200.
    pub waiting: Vec<String>,
    /// Executions that hold a slot, by id. At most three.
    pub held_by: Vec<String>,
}

impl SlotLine {
    /// The place of an execution, the first being 1; `None` if it does not stand among those that were read.
    pub fn place(&self, execution: &str) -> Option<usize> {
        self.waiting.iter().position(|id| id == execution).map(|before| before + 1)
    }
}

impl Core {
    /// The line in which an execution waits. It is read a moment later than the execution, and may have moved.
    #[boxed]
    pub async fn slot_line(&self, execution: &Execution) -> Result<SlotLine, Error> {
        let tables = &*self.ports.tables;
        let line = Query::of(line::TABLE, line::partition_of(execution)).eventual().limit(READ_MOST);
        let waiting = tables.query(&line).await?.items.iter().map(|item| line::parse(item).to_owned()).collect();
        let held_by = match &execution.slot_key {
            Some(key) => holders_of_key(tables, &execution.workflow, key).await?,
            None => holders(&self.history, &execution.workflow).await?,
        };
        Ok(SlotLine { waiting, held_by })
    }
}

async fn holders_of_key(tables: &dyn Tables, workflow: &str, key: &str) -> Result<Vec<String>, Error> {
    let taken = Query::of(slot::TABLE, slot::partition(workflow, key)).eventual().limit(NAMED_MOST);
    let taken = tables.query(&taken).await?.items;
    Ok(taken.iter().map(slot::holder).collect::<Result<_, _>>()?)
}

/// Slots without a key are only counted: executions of the workflow that hold one are looked for among the newest of each state.
async fn holders(history: &History, workflow: &str) -> Result<Vec<String>, Error> {
    let filter = Filter { workflow: Some(workflow.to_owned()), ..Filter::default() };
    let mut found = Vec::new();
    for partition in [
        StatePartition::Moving,
        StatePartition::At(Status::Waiting),
        StatePartition::At(Status::Paused),
        StatePartition::At(Status::Running),
    ] {
        if found.len() >= NAMED_MOST {
            break;
        }
        let page = history.executions(&ListScope::Partition(partition), &filter, LOOKED_MOST, None).await?;
        let holds = |execution: &Execution| execution.holds_slot.is_some() && execution.slot_key.is_none();
        found.extend(page.items.into_iter().filter(holds).map(|execution| execution.id));
    }
    found.truncate(NAMED_MOST);
    Ok(found)
}
