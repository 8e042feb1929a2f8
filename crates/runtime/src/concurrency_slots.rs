//! The slots of `limits.concurrency`, and the executions that wait for one.
//!
//! Without a key, slots are counted; a high limit is split into blocks ([`crate::blocks`]), and an execution takes a slot of its home block, or of another one
//! if that is full. There is one line, whatever the number of blocks: each end hands on, and who is woken looks at all blocks.
//!
//! With a key, slots are numbered, and each that is taken is an item that names its execution ([`crate::items::slot`]). Each
//! key has a line of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use pawl_definition::SLOTS_OF_KEY_MOST;
use pawl_engine::{Execution, Plan, ids};

use crate::blocks::Blocks;
use crate::dispatch::Dispatcher;
use crate::items::guard::{self, Guard};
use crate::items::{line, slot};
use crate::ports::{Consistency, Item, Key, Query, TableError, Tables};
use crate::{Catalog, Error, items};

/// Heads of the line that are read to find one that can be woken: one that cannot be read holds up nobody.
const LOOKS_AT: usize = 3;

/// Wakes an execution that waits for a slot, once one may be free. Not needed for correctness: those that wait look again by
/// themselves.
pub(crate) struct ConcurrencySlots {
    catalog: Arc<Catalog>,
    dispatcher: Arc<Dispatcher>,
}

/// How the slots of the limit that an execution counts for are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slots {
    /// With all other executions.
    Counted(Blocks),
    /// With those of its key: the numbers below this one.
    Numbered(u16),
}

impl Slots {
    /// Of an execution by the limit in force. An execution keeps the key that it was created with: an edit of the expression,
    /// or one that takes it away, concerns later ones.
    pub(crate) fn of(catalog: &Catalog, plan: &Plan, execution: &Execution) -> Option<Self> {
        // A part of an execution takes none.
        let at_most = plan.workflow.limits.concurrency.as_ref().filter(|_| execution.region.is_none())?.at_most;
        let numbered = u16::try_from(at_most.min(SLOTS_OF_KEY_MOST)).expect("the most slots of a key fit");
        let is_of_key = execution.slot_key.is_some();
        Some(if is_of_key { Self::Numbered(numbered) } else { Self::Counted(catalog.slots(at_most)) })
    }
}

/// A slot of which somebody else may have use.
struct HandedOn<'a> {
    blocks: Blocks,
    block: u8,
    /// The execution that hands it on.
    by: &'a str,
}

impl ConcurrencySlots {
    /// Over these.
    pub(crate) fn new(catalog: Arc<Catalog>, dispatcher: Arc<Dispatcher>) -> Self {
        Self { catalog, dispatcher }
    }

    /// After a transition. A slot that was given back wakes one that waits. And one that waited and got a slot wakes the next:
    /// several slots may have become free while it stood in front, and each of them woke it alone.
    pub(crate) async fn after(&self, before: &Execution, after: &Execution, slots: Option<Slots>) -> Result<(), Error> {
        match (before.holds_slot, after.holds_slot) {
            (Some(slot), None) => self.wake_next(after, slot, slots).await,
            (None, Some(slot)) if before.is_in_line() => self.wake_next(after, slot, slots).await,
            _ => Ok(()),
        }
    }

    /// Without a limit all may begin: the blocks are those of the lowest. Slots of a key are one block: numbers do not matter.
    async fn wake_next(&self, by: &Execution, slot: u16, slots: Option<Slots>) -> Result<(), Error> {
        let (blocks, block) = match slots {
            Some(Slots::Counted(blocks)) => (blocks, block_of(slot)),
            Some(Slots::Numbered(_)) | None => (self.catalog.slots(1), 0),
        };
        let tables = self.catalog.tables();
        let first = tables.query(&first_of(by, LOOKS_AT.max(blocks.count().into()))).await?;
        let slot = HandedOn { blocks, block, by: &by.id };
        for id in slot.to(&first.items) {
            let head = tables.get(items::execution::TABLE, &items::execution::key(id), Consistency::Strong).await?;
            let read = head.as_ref().map(items::execution::parse).transpose();
            let execution = self.catalog.unreadable().readable(read).flatten().flatten();
            if let Some(execution) = execution.filter(line::is_in) {
                return self.dispatcher.send_early(&execution).await;
            }
        }
        Ok(())
    }
}

impl HandedOn<'_> {
    /// The executions to be looked at, of the first entries of the line: those of the block, so that each block is handed on in
    /// the order of the line and many ends at once do not all wake the same; behind them, and instead of them one time in so
    /// many as there are blocks, whoever waits longest.
    fn to<'a>(&self, entries: &'a [Item]) -> Vec<&'a str> {
        let all = || entries.iter().map(line::parse);
        let count = self.blocks.count();
        let to_oldest = ids::one_of(&["to the oldest", self.by], count) == 0;
        let own = all().filter(|id| !to_oldest && self.blocks.home(id) == self.block);
        let mut chosen: Vec<_> = own.take(LOOKS_AT).collect();
        for id in all() {
            if chosen.len() < LOOKS_AT && !chosen.contains(&id) {
                chosen.push(id);
            }
        }
        chosen
    }
}

/// A slot that is free for an execution that asks for one; `None` if it has to wait. It is 0 where nothing is limited.
pub(crate) async fn free(
    tables: &dyn Tables,
    execution: &Execution,
    slots: Option<Slots>,
) -> Result<Option<u16>, Error> {
    let Some(slots) = slots.filter(|_| execution.asks_for_slot()) else { return Ok(Some(0)) };
    // Who comes now stands behind those who wait already, although a slot is free: the first of them has been woken.
    if !execution.is_in_line() && has_line(tables, execution).await? {
        return Ok(None);
    }
    match slots {
        Slots::Counted(blocks) => Ok(free_block(tables, execution, blocks).await?.map(u16::from)),
        Slots::Numbered(most) => Ok(free_number(tables, execution, most).await?),
    }
}

/// The block of a counted slot.
pub(crate) fn block_of(slot: u16) -> u8 {
    u8::try_from(slot).expect("a limit has at most 32 blocks")
}

/// A number that no execution of the same key holds. After the limit was lowered, higher numbers count too.
async fn free_number(tables: &dyn Tables, execution: &Execution, most: u16) -> Result<Option<u16>, TableError> {
    let Some(key) = &execution.slot_key else { return Ok(None) };
    let taken = tables.query(&Query::of(slot::TABLE, slot::partition(&execution.workflow, key))).await?.items;
    if taken.len() >= usize::from(most) {
        return Ok(None);
    }
    let taken: BTreeSet<_> = taken.iter().filter_map(slot::number).collect();
    // Those that ask at the same time do not all ask for the same one.
    let home = u16::try_from(ids::number_below(&["slot", &execution.id], most.into())).expect("it is below a u16");
    Ok((home..most).chain(0..home).find(|number| !taken.contains(number)))
}

/// The block with a free slot for an execution.
async fn free_block(tables: &dyn Tables, execution: &Execution, blocks: Blocks) -> Result<Option<u8>, Error> {
    let key = |block: u8| guard::key(&execution.workflow, Guard::ConcurrencySlots(block));
    // A counter that cannot be read has no free slot, and is in the way of nobody who finds one elsewhere.
    let mut unreadable = None;
    let mut is_free = |block: u8, item: Option<&Item>| match item.map_or(Ok(0), items::usage::counter) {
        Ok(used) => used < u64::from(blocks.share(block)),
        Err(error) => {
            unreadable.get_or_insert(error);
            false
        }
    };
    let home = blocks.home(&execution.id);
    let item = tables.get(guard::TABLE, &key(home), Consistency::Strong).await?;
    if is_free(home, item.as_ref()) {
        return Ok(Some(home));
    }
    let others: Vec<u8> = blocks.others(home).collect();
    let keys: Vec<(_, Key)> = others.iter().map(|block| (guard::TABLE, key(*block))).collect();
    let found = if keys.is_empty() { Vec::new() } else { tables.get_many(&keys).await? };
    let free = others.into_iter().zip(&found).find(|(block, item)| is_free(*block, item.as_ref()));
    match (free, unreadable) {
        (None, Some(error)) => Err(error.into()),
        (free, _) => Ok(free.map(|(block, _)| block)),
    }
}

/// Whether others wait for the slot that an execution asks for.
async fn has_line(tables: &dyn Tables, execution: &Execution) -> Result<bool, TableError> {
    Ok(!tables.query(&first_of(execution, 1)).await?.items.is_empty())
}

fn first_of(execution: &Execution, limit: usize) -> Query {
    Query::of(line::TABLE, line::partition_of(execution)).limit(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of so many, the oldest first.
    fn line(many: usize) -> Vec<Item> {
        let entry = |number: usize| Item {
            key: Key::new(line::partition("w", None), format!("2026-01-01T00:00:00.{number:06}Z#exe_{number}")),
            version: 1,
            indexes: Vec::new(),
            expires_at: None,
            body: "{}".to_owned(),
        };
        (0..many).map(entry).collect()
    }

    #[test]
    fn one_block_is_handed_on_to_the_oldest() {
        let slot = HandedOn { blocks: Blocks::new(25, 25), block: 0, by: "exe_a" };
        assert_eq!(slot.to(&line(5)), ["exe_0", "exe_1", "exe_2"], "two more, if the first cannot be read");
        assert_eq!(slot.to(&line(1)), ["exe_0"]);
        assert_eq!(slot.to(&[]), [] as [&str; 0]);
    }

    #[test]
    fn a_block_is_handed_on_to_the_first_that_it_is_the_home_of_and_else_to_the_oldest() {
        let blocks = Blocks::new(100, 25);
        let entries = line(40);
        let mut to_oldest = 0;
        for ended in 0..400 {
            let by = format!("exe_ended_{ended}");
            for block in 0..4 {
                let chosen = HandedOn { blocks, block, by: &by }.to(&entries);
                assert_eq!(chosen.len(), LOOKS_AT);
                let first_of_block = entries.iter().map(line::parse).find(|id| blocks.home(id) == block);
                assert!(chosen[0] == "exe_0" || Some(chosen[0]) == first_of_block, "{block}: {chosen:?}");
                to_oldest += u32::from(Some(chosen[0]) != first_of_block);
            }
            // Nobody waits whose home it is.
            let block = (0..4).find(|block| *block != blocks.home("exe_0")).expect("there are four");
            assert_eq!(HandedOn { blocks, block, by: &by }.to(&line(1)), ["exe_0"]);
        }
        assert!(
            (200..400).contains(&to_oldest),
            "a quarter, of three blocks that are not the home of the oldest: {to_oldest}"
        );
    }
}
