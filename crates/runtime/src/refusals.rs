//! The rows of starts that were refused.

use std::sync::Arc;

use pawl_engine::{Event, Plan};

use crate::Metrics;
use crate::admission::Reason;
use crate::items::refusal::{self, Refusal};
use crate::ports::{Durability, Expect, TableError, Tables, Transaction, Write};

/// Stores refusals for people to see.
pub(crate) struct Refusals {
    tables: Arc<dyn Tables>,
    metrics: Arc<Metrics>,
}

impl Refusals {
    /// Over these tables.
    pub(crate) fn new(tables: Arc<dyn Tables>, metrics: Arc<Metrics>) -> Self {
        Self { tables, metrics }
    }

    /// Stores a refusal; it conflicts if the same event was decided meanwhile. `over` is the version of the refusal that
    /// it takes the place of, the event is kept to be replayed, and `closes` ends the window whose events are refused.
    pub(crate) async fn write(
        &self,
        (refusal, event): (&Refusal, Option<&Event>),
        over: Option<u64>,
        closes: Option<&Write>,
    ) -> Result<(), TableError> {
        tracing::info!(
            workflow = %refusal.workflow, event_id = %refusal.event_id, code = %refusal.code,
            "event {} starts nothing: {}", refusal.event_id, refusal.code
        );
        self.metrics.refused(&refusal.workflow, &refusal.code);
        let item = refusal::item_with_event(refusal, event, over.unwrap_or(0) + 1);
        let put = Write::Put { table: refusal::TABLE, item, expect: unless_decided(over) };
        let writes = std::iter::once(put).chain(closes.cloned()).collect();
        self.tables.transact(Transaction { writes, durability: Durability::Ordered }).await
    }
}

/// The row of a refused start.
pub(crate) fn of_start(plan: &Plan, trigger: Option<&str>, event: &Event, reason: &Reason) -> Refusal {
    Refusal {
        workflow: plan.workflow.id.clone(),
        trigger: trigger.map(str::to_owned),
        event_id: event.id.clone(),
        record: event.subject.clone(),
        code: reason.code.to_owned(),
        message: reason.message.clone(),
        collected: None,
        // What the event of a fork tells happened to the original.
        at: event.fork.as_ref().map_or(event.occurred_at, |start| start.act.at),
        first_at: None,
        count: 1,
        at_least: false,
        has_event: false,
    }
}

/// Whether an event is kept with its refusal. One whose values are forgotten, or as old as what has expired, is not: they would
/// come back. A fork can be asked for again.
pub(crate) fn is_replayable(event: &Event, code: &str) -> bool {
    event.fork.is_none() && !matches!(code, "record_forgotten" | "too_old")
}

/// Nothing stands in the place of a start, or what was found there to be no decision.
pub(crate) fn unless_decided(over: Option<u64>) -> Expect {
    over.map_or(Expect::Absent, Expect::Version)
}
