//! Forks of executions: what one begins with, from what is recorded of its original.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use pawl_engine::{Event, ForkError, ForkOrder, ForkStart, Plan, Row, Subject, forget, ids};
use serde_json::json;

use crate::forget::family;
use crate::items::refusal::Refusal;
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
    /// There is no such refusal.
    #[error("there is no refusal {0:?}")]
    NoRefusal(String),
    /// The event that was refused is not kept; the code of the refusal.
    #[error("the event that was refused with {0:?} is not kept: have it sent again")]
    NoEvent(String),
    /// It cannot be forked so.
    #[error(transparent)]
    Refused(#[from] ForkError),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// A refusal with the event that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    refusal: Refusal,
    event: Event,
}

impl Refused {
    /// The workflow that the event did not start.
    pub fn workflow(&self) -> &str {
        &self.refusal.workflow
    }

    /// The record that must be there for a replay: one that the event does not make.
    pub fn record(&self) -> Option<&Subject> {
        self.event.subject.as_ref().filter(|_| self.event.creation.is_none())
    }

    /// The event, under this id, that starts an execution after all.
    pub fn replay(&self, order: ForkOrder, id: String) -> Event {
        let instead_of = ids::execution_id(&self.refusal.event_id, self.workflow());
        ForkStart::of_refused(order, instead_of, &self.refusal.code, &self.event).event(
            id,
            self.workflow(),
            &self.event,
        )
    }
}

impl Forks {
    /// A refusal by its id, with its event.
    ///
    /// # Errors
    /// There is no such refusal, its event is not kept, or it cannot be read.
    #[boxed]
    pub async fn refused(&self, id: &str) -> Result<Refused, ForkFailed> {
        let found = self.history.refusal(id).await?;
        let (refusal, event) = found.ok_or_else(|| ForkFailed::NoRefusal(id.to_owned()))?;
        match event {
            Some(event) => Ok(Refused { refusal, event }),
            None => Err(ForkFailed::NoEvent(refusal.code)),
        }
    }

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
    async fn read_by(&self, execution: &str, event: &Event) -> Result<BTreeSet<Subject>, Error> {
        let mut records = BTreeSet::new();
        if let Some(start) = &event.fork {
            forget::shown(&start.read, &mut records);
        }
        for member in family::of(&self.history, execution).await?.members {
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
