//! Forks of executions: what one begins with, from what is recorded of its original.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use pawl_engine::{Event, ForkError, ForkOrder, ForkStart, Plan, Row, forget};
use serde_json::json;

use crate::forget::family;
use crate::{Catalog, Error, History, Recorded};

/// Rows that are read at once.
const ROWS: usize = 100;

/// Prepares forks.
pub struct Forks {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) history: Arc<History>,
}

/// Why an execution is not forked.
#[derive(Debug, thiserror::Error)]
pub enum ForkFailed {
    /// There is no such execution.
    #[error("there is no execution {0:?}")]
    NotFound(String),
    /// It cannot be forked so.
    #[error(transparent)]
    Refused(#[from] ForkError),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Forks {
    /// The event, under this id, that starts a fork of an execution by the workflow in force. Nothing is written.
    ///
    /// # Errors
    /// There is no such execution, it cannot be forked so, or it cannot be read.
    #[boxed]
    pub async fn event(&self, execution: &str, order: ForkOrder, plan: &Plan, id: String) -> Result<Event, ForkFailed> {
        let recorded = Recorded::read(&self.catalog, &self.history, execution).await?;
        let recorded = recorded.ok_or_else(|| ForkFailed::NotFound(execution.to_owned()))?;
        let recording = recorded.recording();
        let mut start = ForkStart::of(order, &recorded.head, plan, &recording)?;
        if start.state.is_some() {
            start.read = json!(self.read_by(execution, &recording.event.event).await?);
        }
        Ok(start.event(id, &recorded.head.workflow, &recording.event.event))
    }

    /// The records that an execution has read, or one of its parts, or the original that it is a fork of.
    async fn read_by(&self, execution: &str, event: &Event) -> Result<BTreeSet<pawl_engine::Subject>, Error> {
        let mut records = BTreeSet::new();
        if let Some(start) = &event.fork {
            forget::shown(&start.read, &mut records);
        }
        for member in family::of(&self.history, execution).await? {
            let mut after = None;
            loop {
                let page = self.history.rows(&member, ROWS, after).await?;
                if let Some(unreadable) = page.unreadable.into_iter().next() {
                    return Err(Error::Unreadable(unreadable));
                }
                for Row { observed, output, input, .. } in &page.items {
                    for part in [observed, output, input] {
                        forget::shown(part, &mut records);
                    }
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(records)
    }
}
