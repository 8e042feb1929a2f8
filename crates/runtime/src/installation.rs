//! The controls of the whole installation.

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use pawl_engine::Act;

use crate::items::audit;
use crate::items::installation::{self, Installation};
use crate::items::operation::Operation;
use crate::operations::Operations;
use crate::ports::{Clock, Consistency, DeadLetters, Durability, Expect, Tables, Transaction, Write};
use crate::{Catalog, Error};

/// Dead letters that a redrive puts back before it answers; the sweeper puts back those that are left.
const LETTERS_AT_ONCE: usize = 300;

/// Switches the installation's kill, and redrives.
pub struct Installations {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) dead_letters: Arc<dyn DeadLetters>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) operations: Arc<Operations>,
}

/// What a redrive set going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redriven {
    /// The operation that wakes stalled executions, and puts back the dead letters that are left.
    pub operation: String,
    /// Messages that had been given up and are back on their queues by now.
    pub messages: u64,
}

impl Installations {
    /// The controls.
    #[boxed]
    pub async fn read(&self) -> Result<Installation, Error> {
        self.catalog.read_installation().await
    }

    /// Sends what was given up on its way again: dead letters go back to their queues, and stalled executions that are
    /// due get a job; goals look again, for they received nothing while they could not be read. What fails again is
    /// given up again. Who did it and why is kept, also if it fails.
    #[boxed]
    pub async fn redrive(&self, act: &Act) -> Result<Redriven, Error> {
        let operation = Operation::of_redrive(act);
        let writes = vec![audit::write_redrive(act), operation.begin()];
        self.tables.transact(Transaction { writes, durability: Durability::Durable }).await?;
        let id = operation.id.clone();
        let moved = self.operations.redrive(operation, &*self.dead_letters, LETTERS_AT_ONCE).await;
        self.operations.send_begun(&id).await;
        Ok(Redriven { operation: id, messages: moved?.messages })
    }

    /// Kills everything, or lifts the kill and wakes what is due. Who did it and why is kept. Returns the operation that
    /// wakes, too.
    #[boxed]
    pub async fn set_killed(&self, killed: bool, act: &Act) -> Result<(Installation, Option<String>), Error> {
        loop {
            let item = self.tables.get(installation::TABLE, &installation::key(), Consistency::Strong).await?;
            let version = item.as_ref().map_or(0, |item| item.version);
            let mut after = Catalog::installation(item.as_ref())?;
            let is_so = after.killed.is_some() == killed;
            let version_after = if is_so { version } else { version + 1 };
            let lift = (!killed).then(|| Operation::of_lift(None, version_after, self.clock.now()));
            let id = lift.as_ref().map(|lift| lift.id.clone());
            if is_so {
                if let Some(lift) = lift {
                    self.operations.begin(&lift).await?;
                }
                return Ok((after, id));
            }
            after.killed = killed.then(|| act.clone());
            let expect = if version == 0 { Expect::Absent } else { Expect::Version(version) };
            let put = Write::Put { table: installation::TABLE, item: installation::item(&after, version + 1), expect };
            let audit = audit::write(&audit::Entry::of_kill(killed, None, act), version + 1);
            let writes = [put, audit].into_iter().chain(lift.as_ref().map(Operation::begin)).collect();
            match self.tables.transact(Transaction { writes, durability: Durability::Durable }).await {
                Ok(()) => {
                    if let Some(id) = &id {
                        self.operations.send_begun(id).await;
                    }
                    return Ok((after, id));
                }
                Err(error) if Error::from(error.clone()).is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
