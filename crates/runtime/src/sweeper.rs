//! The sweeper: executions whose reason to wake is overdue are put back on the queue, and what was given up is made
//! visible.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::step::Waiting;
use pawl_definition::{Edits, Step};
use pawl_engine::{Execution, Status};

use crate::dead_letters::Marks;
use crate::dispatch::Dispatcher;
use crate::items::workflow::Head;
use crate::message::About;
use crate::ports::{Clock, DeadLetter, DeadLetters, Index, Pages, Query, SortRange, Tables};
use crate::refusals::Refusals;
use crate::wake_backoff::WakeBackoff;
use crate::{Catalog, Error, Notices, Transitions, items};

/// How long a reason may be overdue: deliveries take time.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Why what is found as a dead letter came to nothing; the error of each delivery stands in the log.
const GIVEN_UP: &str = "its message was delivered too often without coming to an end, and is in the dead-letter queue";

/// How often a dead letter of which nobody knows why it died is sent back without a person. Each time it has all of its
/// deliveries again, which takes an hour or more.
const SENT_BACK_MOST: u32 = 3;

/// For how long an edit is looked at again.
const EDITS_SETTLE: SignedDuration = SignedDuration::from_mins(5);

/// Dead letters that one sweep looks at; those beyond are looked at by the sweeps after.
const DEAD_LETTERS: usize = 100;

/// Items of one page of what is swept.
const PAGE: usize = 100;

/// Looks for what was left behind.
pub struct Sweeper {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) notices: Arc<Notices>,
    pub(crate) transitions: Arc<Transitions>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) dead_letters: Arc<dyn DeadLetters>,
    pub(crate) wakes: WakeBackoff,
}

/// What went back on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redriven {
    /// Messages that had been given up.
    pub messages: usize,
    /// Executions that were stalled.
    pub executions: usize,
}

impl Sweeper {
    /// Sends back dead letters that no worker marked, marks the others, puts overdue executions back on the queue, and
    /// hands on notices that were left; returns how many executions it woke. A stalled execution waits for a person. Each
    /// has its turn although another fails; the first failure is returned.
    pub async fn sweep(&self) -> Result<usize, Error> {
        // First the marks: what is stalled is not woken.
        let marked = self.see_to_dead_letters().await;
        let now = self.clock.now();
        let woken = self.wake(now - GRACE, |execution| !execution.stalled && self.wakes.is_time(execution, now)).await;
        self.wakes.forget_all_but(now);
        if let Ok(woken @ 1..) = woken {
            tracing::info!(woken, "the sweeper woke {woken} executions");
        }
        let settled = self.settle_edits().await;
        let notified = self.notices.sweep().await;
        marked.and(settled).and(notified.map(drop)).and(woken)
    }

    /// Sends everything that was given up on its way again: dead letters go back to their queues, and stalled
    /// executions that are due get a job; goals look again, for they received nothing while they could not be read. Whoever fails again is given up again.
    pub async fn redrive(&self) -> Result<Redriven, Error> {
        let messages = self.dead_letters.redrive().await?;
        let now = self.clock.now();
        let executions = self.wake(now, |execution| execution.stalled).await?;
        self.look_again(None).await?;
        Ok(Redriven { messages, executions })
    }

    /// Makes a message visible that was given up: the execution of a job is marked as stalled, an event is refused.
    /// Doing it again changes nothing.
    pub async fn mark_dead_letter(&self, letter: &DeadLetter, why: &str) -> Result<(), Error> {
        self.marks().dead_letter(letter, why).await
    }

    fn marks(&self) -> Marks<'_> {
        Marks {
            tables: &*self.tables,
            clock: &*self.clock,
            unreadable: self.catalog.unreadable(),
            transitions: &self.transitions,
            refusals: &self.refusals,
        }
    }

    async fn see_to_dead_letters(&self) -> Result<(), Error> {
        for letter in self.dead_letters.look(DEAD_LETTERS).await? {
            // One that cannot be marked must not keep the others, nor the sweep, from their turn.
            if let Err(error) = self.see_to(&letter).await {
                let About { execution_id, event_id } = About::read(&letter.body);
                tracing::error!(execution_id, event_id, queue = ?letter.queue, "a dead letter is not marked: {error}");
            }
        }
        Ok(())
    }

    /// The worker that fails for the last time marks what it gives up, with the cause. A letter without a mark died of
    /// something else: its function could not run, was cut off, or could reach neither tables nor queue. That ends by
    /// itself, so the letter is sent back; after some times it is marked all the same.
    async fn see_to(&self, letter: &DeadLetter) -> Result<(), Error> {
        if letter.sent_back >= SENT_BACK_MOST || !self.marks().are_missing(letter).await? {
            return self.mark_dead_letter(letter, GIVEN_UP).await;
        }
        self.dead_letters.send_back(letter).await?;
        let About { execution_id, event_id } = About::read(&letter.body);
        tracing::warn!(execution_id, event_id, queue = ?letter.queue, "a dead letter that no worker marked is sent back");
        Ok(())
    }

    /// Wakes what is due of one workflow, or of all: after a kill was lifted.
    pub async fn lifted(&self, workflow: Option<&str>) -> Result<usize, Error> {
        self.look_again(workflow).await?;
        let now = self.clock.now();
        self.wake(now, |execution| {
            let ours = workflow.is_none_or(|workflow| workflow == execution.workflow);
            ours && !execution.stalled
        })
        .await
    }

    /// Lets waiting goals look again: they received nothing while they were killed, or could not be read.
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
        let catalog = &self.catalog;
        let present = catalog.plan(&head.id, head.revision).await?;
        let former = catalog.plan(&head.id, head.revision - 1).await?.workflow.clone();
        let touched = former.all_steps().into_iter().any(|step| wait_is_touched(step, present.step(&step.id)));
        if !touched && former.edits != Edits::Pinned {
            return Ok(());
        }
        let delayed = |execution: &Execution| {
            let step = execution.cursor.as_deref().and_then(|id| present.step(id));
            execution.waiting.is_none() && step.is_some_and(|step| step.kind.shape().waits() == Some(Waiting::Time))
        };
        self.each_waiting(|execution| execution.workflow == head.id && !delayed(execution)).await
    }

    /// Looks again at the edits of the last minutes: an execution may have begun to wait by the former revision in the
    /// moment of the save, indexes lag, and whoever saved may have died before he had seen to it.
    async fn settle_edits(&self) -> Result<(), Error> {
        let since = self.clock.now() - EDITS_SETTLE;
        let mut settled = Ok(());
        let workflows = Query::of_index(items::workflow::TABLE, Index::Gsi1, items::workflow::ALL).limit(PAGE);
        let mut pages = Pages::of(&*self.tables, workflows);
        while let Some(page) = pages.next().await? {
            let (heads, _) = self.catalog.unreadable().read(&page, items::workflow::parse_head);
            for head in heads.iter().filter(|head| head.saved_at > since) {
                // An edit that cannot be looked at keeps no other one.
                settled = settled.and(self.edited(head).await);
            }
        }
        settled
    }

    async fn each_waiting(&self, chosen: impl Fn(&Execution) -> bool + Send) -> Result<(), Error> {
        let waiting = items::execution::of_status(Status::Waiting);
        let waiting = Query::of_index(items::execution::TABLE, Index::Gsi3, waiting).limit(PAGE);
        let mut pages = Pages::of(&*self.tables, waiting);
        let mut looked = Ok(());
        while let Some(page) = pages.next().await? {
            let (read, _) = self.catalog.unreadable().read(&page, items::execution::parse);
            for execution in read.into_iter().flatten().filter(&chosen) {
                match self.transitions.look_again(&execution.id).await {
                    // Another item of it cannot be read: a redrive looks again once it is restored.
                    Err(Error::Unreadable(error)) => self.catalog.unreadable().pass_over(&error),
                    result => looked = looked.and(result),
                }
            }
        }
        looked
    }

    /// Puts executions back on the queue that were due at a time: those that waited for it, and those on the move.
    async fn wake(&self, by: Timestamp, chosen: impl Fn(&Execution) -> bool + Send + Sync) -> Result<usize, Error> {
        if self.catalog.read_installation().await?.killed.is_some() {
            return Ok(0);
        }
        let waited = self.wake_in(overdue(Index::Gsi4, items::execution::DUE, by), by, &chosen).await?;
        Ok(waited + self.wake_in(overdue(Index::Gsi3, items::execution::MOVING, by), by, &chosen).await?)
    }

    async fn wake_in(
        &self,
        query: Query,
        by: Timestamp,
        chosen: &(impl Fn(&Execution) -> bool + Sync),
    ) -> Result<usize, Error> {
        let mut pages = Pages::of(&*self.tables, query);
        let mut woken = 0;
        while let Some(page) = pages.next().await? {
            let (read, _) = self.catalog.unreadable().read(&page, items::execution::parse);
            for execution in read.into_iter().flatten() {
                let is_ours = execution.is_due(by) && execution.killed.is_none() && chosen(&execution);
                if is_ours && !self.is_killed(&execution).await? {
                    let now = self.clock.now();
                    if execution.stalled {
                        self.dispatcher.ensure_scheduled(&execution, now, SignedDuration::ZERO).await?;
                    } else {
                        self.dispatcher.again(&execution, now).await?;
                    }
                    woken += 1;
                }
            }
        }
        Ok(woken)
    }

    async fn is_killed(&self, execution: &Execution) -> Result<bool, Error> {
        match self.catalog.head(&execution.workflow).await {
            // Its job tells that its workflow cannot be read.
            Err(Error::Unreadable(unreadable)) => {
                self.catalog.unreadable().pass_over(&unreadable);
                Ok(false)
            }
            head => Ok(head?.is_some_and(|head| head.killed.is_some())),
        }
    }
}

/// What stands in an index up to a time: when it is due, or when it was made, which is never later.
fn overdue(index: Index, partition: &str, by: Timestamp) -> Query {
    let range = SortRange::Between("0".to_owned(), items::sortable(by));
    Query::of_index(items::execution::TABLE, index, partition).range(range).limit(PAGE)
}

/// Whether an edit concerns those who wait at a step: they keep the due time of a delay, and nothing else.
fn wait_is_touched(former: &Step, present: Option<&Step>) -> bool {
    present.is_none_or(|present| {
        former.kind.tag() != present.kind.tag() || former.kind.shape().awaits() != present.kind.shape().awaits()
    })
}
