//! An execution as it was recorded: all that it can be decided again from.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use pawl_definition::{Definitions, Object};
use pawl_engine::{Execution, Observed, Occurrence, Plan, Recording, ReplayError, Row, difference, replay};

use crate::{Catalog, Error, History};

/// Rows that are read at once.
const PAGE: usize = 200;

/// An execution with its rows, its event, and the revisions that they name.
pub struct Recorded {
    /// Its head.
    pub head: Execution,
    /// Its rows, oldest first, large values brought back.
    pub rows: Vec<Row>,
    event: Occurrence,
    plans: BTreeMap<u64, Arc<Plan>>,
    objects: BTreeMap<u64, (BTreeMap<String, Object>, Definitions)>,
}

impl Recorded {
    /// Reads it; `None` if there is no such execution. A revision that is not there any more is left out.
    ///
    /// # Errors
    /// Something of it cannot be read.
    #[boxed]
    pub async fn read(catalog: &Catalog, history: &History, id: &str) -> Result<Option<Self>, Error> {
        let (Some(head), Some(event)) = (history.execution(id).await?, history.event(id).await?) else {
            return Ok(None);
        };
        let mut rows = rows(history, id).await?;
        // It may have gone on since its head was read.
        rows.retain(|row| row.seq <= head.seq);
        let mut recorded =
            Self { head, rows, event: Occurrence::new(event), plans: BTreeMap::new(), objects: BTreeMap::new() };
        recorded.read_revisions(catalog).await?;
        Ok(Some(recorded))
    }

    async fn read_revisions(&mut self, catalog: &Catalog) -> Result<(), Error> {
        let lists = self.rows.iter().map(|row| &row.observed).chain([&self.head.since]);
        let observed: Vec<_> = lists.flat_map(|list| Observed::list(list).unwrap_or_default()).collect();
        let named = observed.iter().filter_map(|observed| observed.revision);
        for revision in self.rows.iter().map(|row| row.revision).chain(named) {
            match catalog.plan(&self.head.workflow, revision).await {
                Ok(plan) => drop(self.plans.insert(revision, plan)),
                Err(Error::NoWorkflow(..)) => {}
                Err(error) => return Err(error),
            }
        }
        for revision in observed.iter().filter_map(|observed| observed.objects) {
            if let Entry::Vacant(place) = self.objects.entry(revision) {
                let objects = catalog.objects_as_of(revision).await?;
                objects.require_all()?;
                place.insert(((*objects).clone(), objects.definitions.clone()));
            }
        }
        Ok(())
    }

    /// For the engine, to decide it again.
    pub fn recording(&self) -> Recording<'_> {
        let Self { head, rows, event, plans, objects } = self;
        Recording { plans, objects, event, rows, since: &head.since }
    }

    /// Decides it again, and compares what comes out with its rows and its head.
    ///
    /// # Errors
    /// It cannot be decided again, or something else comes of it.
    pub fn check(&self) -> Result<(), ReplayError> {
        // What it was decided on is gone on purpose.
        if self.head.forgotten.is_some() {
            return Ok(());
        }
        let replayed = replay(&self.recording())?;
        let differs = difference(&replayed, &self.head);
        if differs.is_empty() {
            return Ok(());
        }
        let what = format!("expected the same {} in the head after it", differs.join(", "));
        Err(ReplayError::Differs { seq: self.head.seq, what })
    }
}

/// All rows, oldest first.
async fn rows(history: &History, id: &str) -> Result<Vec<Row>, Error> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = history.rows(id, PAGE, after).await?;
        if let Some(unreadable) = page.unreadable.into_iter().next() {
            return Err(Error::Unreadable(unreadable));
        }
        rows.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}
