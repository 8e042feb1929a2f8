//! The controls of the whole installation.

use std::sync::Arc;

use pawl_engine::Act;

use crate::items::audit;
use crate::items::installation::{self, Installation};
use crate::ports::{Consistency, Durability, Expect, Tables, Transaction, Write};
use crate::{Catalog, Error, Redriven, Sweeper};

/// Switches the installation's kill, and redrives.
pub struct Installations {
    catalog: Arc<Catalog>,
    tables: Arc<dyn Tables>,
    sweeper: Arc<Sweeper>,
}

impl Installations {
    /// Over these ports.
    pub fn new(catalog: Arc<Catalog>, tables: Arc<dyn Tables>, sweeper: Arc<Sweeper>) -> Self {
        Self { catalog, tables, sweeper }
    }

    /// The controls.
    pub async fn read(&self) -> Result<Installation, Error> {
        self.catalog.read_installation().await
    }

    /// Sends what was given up on its way again. Who did it and why is kept, whatever comes of it.
    pub async fn redrive(&self, act: &Act) -> Result<Redriven, Error> {
        let writes = vec![audit::write_redrive(act)];
        self.tables.transact(Transaction { writes, durability: Durability::Durable }).await?;
        self.sweeper.redrive().await
    }

    /// Kills everything, or lifts the kill and wakes what is due. Who did it and why is kept.
    pub async fn set_killed(&self, killed: bool, act: &Act) -> Result<Installation, Error> {
        let after = loop {
            let item = self.tables.get(installation::TABLE, &installation::key(), Consistency::Strong).await?;
            let version = item.as_ref().map_or(0, |item| item.version);
            let mut after = Catalog::installation(item.as_ref())?;
            if after.killed.is_some() == killed {
                break after;
            }
            after.killed = killed.then(|| act.clone());
            let expect = if version == 0 { Expect::Absent } else { Expect::Version(version) };
            let put = Write::Put { table: installation::TABLE, item: installation::item(&after, version + 1), expect };
            let audit = audit::write(&audit::Entry::of_kill(killed, None, act), version + 1);
            match self.tables.transact(Transaction { writes: vec![put, audit], durability: Durability::Durable }).await
            {
                Ok(()) => break after,
                Err(error) if Error::from(error.clone()).is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        };
        if !killed {
            self.sweeper.lifted(None).await?;
        }
        Ok(after)
    }
}
