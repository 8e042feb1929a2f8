//! The sweeper: executions whose reason to wake is overdue are put back on the queue.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{Edits, Step, StepKind};
use pawl_engine::{Control, Execution, Status};

use crate::executor::{ControlError, Executor};
use crate::items::workflow::Head;
use crate::ports::{Consistency, Index, Query, SortRange};
use crate::{Error, items, starts, under_way};

/// How long a reason may be overdue: deliveries take time, and executions at work move in the index by the minute.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// For how long an edit is looked at again.
const EDITS_SETTLE: SignedDuration = SignedDuration::from_mins(5);

/// Looks for what was left behind.
pub struct Sweeper {
    executor: Arc<Executor>,
}

impl Sweeper {
    /// Over an executor, whose ports it shares.
    pub fn new(executor: Arc<Executor>) -> Self {
        Self { executor }
    }

    /// Puts overdue executions back on the queue and hands on notices that were left; returns how many executions.
    pub async fn sweep(&self) -> Result<usize, Error> {
        self.executor.notices.sweep().await?;
        self.settle_edits().await?;
        let before = self.executor.clock.now() - GRACE;
        self.wake(before, |_| true).await
    }

    /// Wakes what is due of one workflow, or of all: after a kill was lifted.
    pub async fn lifted(&self, workflow: Option<&str>) -> Result<usize, Error> {
        self.look_again(workflow).await?;
        let now = self.executor.clock.now();
        // What runs stands up to a minute ahead in the index.
        self.wake(now + SignedDuration::from_secs(60), |execution| {
            workflow.is_none_or(|workflow| workflow == execution.workflow) && execution.is_due(now)
        })
        .await
    }

    /// Lets waiting goals look again: they heard nothing while they were killed.
    async fn look_again(&self, workflow: Option<&str>) -> Result<(), Error> {
        let ours = |execution: &Execution| workflow.is_none_or(|workflow| workflow == execution.workflow);
        self.each_waiting(|execution| ours(execution) && execution.waiting.is_some()).await
    }

    /// What waits at a step that an edit deleted or replaced moves on at once, also if nothing would ever wake it there,
    /// and a goal that was edited is looked at again. Those at a delay that is there still need not.
    pub(crate) async fn edited(&self, head: &Head) -> Result<(), Error> {
        if head.pinned || head.revision == 1 {
            return Ok(());
        }
        let catalog = &self.executor.catalog;
        let present = catalog.plan(&head.id, head.revision).await?;
        let former = catalog.plan(&head.id, head.revision - 1).await?.workflow.clone();
        let touched = former.all_steps().into_iter().any(|step| wait_is_touched(step, present.step(&step.id)));
        if !touched && former.edits != Edits::Pinned {
            return Ok(());
        }
        let delayed = |execution: &Execution| {
            let step = execution.cursor.as_deref().and_then(|id| present.step(id));
            execution.waiting.is_none() && step.is_some_and(|step| matches!(step.kind, StepKind::Delay(_)))
        };
        self.each_waiting(|execution| execution.workflow == head.id && !delayed(execution)).await
    }

    /// Looks again at the edits of the last minutes: an execution may have begun to wait by the former revision in the
    /// moment of the save, indexes lag, and whoever saved may have died before he had seen to it.
    async fn settle_edits(&self) -> Result<(), Error> {
        let since = self.executor.clock.now() - EDITS_SETTLE;
        let mut after = None;
        loop {
            let page = self.executor.tables.query(&workflows(after)).await?;
            for item in &page.items {
                let head = items::workflow::parse_head(item)?;
                if head.saved_at > since {
                    self.edited(&head).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn each_waiting(&self, chosen: impl Fn(&Execution) -> bool + Send) -> Result<(), Error> {
        let waiting = items::execution::of_status(Status::Waiting);
        let mut query = starts::of_index(Index::Third, waiting, false, 100);
        loop {
            let page = self.executor.tables.query(&query).await?;
            for item in &page.items {
                let execution = items::execution::parse(item)?;
                if chosen(&execution) {
                    self.executor.look_again(&execution.id).await?;
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }

    async fn wake(&self, before: Timestamp, chosen: impl Fn(&Execution) -> bool + Send) -> Result<usize, Error> {
        let executor = &self.executor;
        let installation = executor.catalog.read_installation().await?;
        if installation.killed.is_some() {
            return Ok(0);
        }
        let mut after = None;
        let mut woken = 0;
        loop {
            let page = executor.tables.query(&due(before, after)).await?;
            for item in &page.items {
                let execution = items::execution::parse(item)?;
                if chosen(&execution) && execution.killed.is_none() && !self.is_killed(&execution).await? {
                    let now = executor.clock.now();
                    under_way::ensure(&*executor.jobs, &*executor.timers, &execution, now, SignedDuration::ZERO)
                        .await?;
                    woken += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(woken);
            }
        }
    }

    async fn is_killed(&self, execution: &Execution) -> Result<bool, Error> {
        let head = self.executor.catalog.head(&execution.workflow).await?;
        Ok(head.is_some_and(|head| head.killed.is_some()))
    }

    /// Marks an execution whose job went to a dead-letter queue.
    pub async fn mark_stalled(&self, execution: &str) -> Result<(), Error> {
        let act =
            pawl_engine::Act { actor: "dead-letter-queue".to_owned(), reason: None, at: self.executor.clock.now() };
        match self.executor.control(execution, &Control::Stall, &act).await {
            Err(ControlError::Failed(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

fn workflows(after: Option<String>) -> Query {
    Query {
        table: items::workflow::TABLE,
        index: Some(Index::First),
        partition: items::workflow::ALL.to_owned(),
        range: SortRange::All,
        newest_first: false,
        limit: 100,
        after,
        consistency: Consistency::Eventual,
    }
}

fn due(before: Timestamp, after: Option<String>) -> Query {
    Query {
        table: items::execution::TABLE,
        index: Some(Index::Fourth),
        partition: items::execution::DUE.to_owned(),
        range: SortRange::Between("0".to_owned(), items::sortable(before)),
        newest_first: false,
        limit: 100,
        after,
        consistency: Consistency::Eventual,
    }
}

/// Whether an edit concerns those who wait at a step: they keep the due time of a delay, and nothing else.
fn wait_is_touched(former: &Step, present: Option<&Step>) -> bool {
    present.is_none_or(|present| match (&former.kind, &present.kind) {
        (StepKind::Goal(former), StepKind::Goal(present)) => former.until != present.until || former.on != present.on,
        (former, present) => former.tag() != present.tag(),
    })
}
