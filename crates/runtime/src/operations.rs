//! Work on many executions that goes on after the answer of the one who began it.
//!
//! An edit, a lifted kill and a redrive concern executions in a number that nobody knows, so no request waits for them.
//! The request stores an [`Operation`] in the transaction that changes something, and sends a message with its id. A
//! worker reads the operation's cursor, handles page after page, stores the cursor after each, and at its deadline sends
//! the message on. So a process that dies loses one page at most, which is handled again. The sweeper sends the message
//! again of an operation of which nothing was heard for a while.

mod action;
mod actions;
mod pages;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::{Edits, Step, Workflow};
use pawl_engine::Plan;

use crate::evaluator::Starter;
use crate::items::operation::{self, Kind, Operation, State};
use crate::items::workflow::Head;
use crate::message::EventMessage;
use crate::ports::{
    Clock, Consistency, DeadLetters, Durability, Expect, Index, Item, Message, Query, Queue, QueueName, Tables,
    Transaction, Write,
};
use crate::waker::Waker;
use crate::{Catalog, Dates, Error, Listed, LoopLimits, Metrics, Transitions, dates};

pub use action::{
    Action, ActionLimits, Controls, Counts, FailureGroup, Preview, Reason, ReasonGroup, Records, Starts, Target, Task,
    Verb, Verdict,
};
pub use actions::{ActionError, Handling, LISTED_MOST, NewAction};

/// After this time without news of an operation its message counts as lost: far more than one page takes.
const SILENT: SignedDuration = SignedDuration::from_secs(90);

/// How often a write that lost a race is tried again.
const RACES: usize = 8;

/// Dead letters that one call puts back.
const LETTERS: usize = 100;

/// Carries operations on.
pub struct Operations {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) transitions: Arc<Transitions>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) waker: Waker,
    pub(crate) starter: Arc<Starter>,
    pub(crate) dates: Arc<Dates>,
    pub(crate) limits: LoopLimits,
}

impl Operations {
    pub(crate) fn new(
        transitions: &Arc<Transitions>,
        queue: Arc<dyn Queue>,
        (starter, dates): (Arc<Starter>, Arc<Dates>),
    ) -> Self {
        let Transitions { catalog, tables, clock, metrics, options, dispatcher, .. } = &**transitions;
        Self {
            catalog: catalog.clone(),
            tables: tables.clone(),
            queue,
            clock: clock.clone(),
            transitions: transitions.clone(),
            metrics: metrics.clone(),
            waker: Waker::new(catalog.clone(), clock.clone(), dispatcher.clone()),
            starter,
            dates,
            limits: options.loops,
        }
    }

    /// An operation; `None` if there is none of this id.
    #[boxed]
    pub async fn read(&self, id: &str) -> Result<Option<Operation>, Error> {
        let item = self.tables.get(operation::TABLE, &operation::key(id), Consistency::Strong).await?;
        Ok(item.as_ref().map(operation::parse).transpose()?)
    }

    /// Lists operations, the one that began last first. One that begins anew counts from then on.
    #[boxed]
    pub async fn list(&self, limit: usize, after: Option<String>) -> Result<Listed<Operation>, Error> {
        let query = Query::of_index(operation::TABLE, Index::Gsi2, operation::ALL).newest_first();
        let page = self.tables.query(&query.limit(limit).after(after)).await?;
        let (items, unreadable) = self.catalog.unreadable().read(&page.items, operation::parse);
        Ok(Listed { items, next: page.next, unreadable })
    }

    /// Begins an operation that no transaction began, or begins one anew that is over. One that runs is left alone.
    pub(crate) async fn begin(&self, operation: &Operation) -> Result<(), Error> {
        let key = operation::key(&operation.id);
        let stored = self.tables.get(operation::TABLE, &key, Consistency::Strong).await?;
        // One that cannot be read is written over.
        let present = stored.as_ref().and_then(|item| operation::parse(item).ok());
        if present.is_some_and(|present| present.state == State::Running) {
            return Ok(());
        }
        let version = stored.map(|item| item.version);
        let anew = Operation { version: version.unwrap_or(0) + 1, ..operation.clone() };
        let expect = version.map_or(Expect::Absent, Expect::Version);
        match self.put(&anew, expect).await {
            // Others have begun it.
            Err(error) if error.is_conflict() => Ok(()),
            result => {
                result?;
                self.send(&operation.id).await
            }
        }
    }

    /// Sends the message of an operation that is stored.
    pub(crate) async fn send(&self, id: &str) -> Result<(), Error> {
        self.send_later(id, SignedDuration::ZERO).await
    }

    async fn send_later(&self, id: &str, delay: SignedDuration) -> Result<(), Error> {
        let body = serde_json::to_string(&EventMessage::Operation(id.to_owned())).expect("an id is JSON");
        let message = Message { body, delay, group: String::new() };
        Ok(self.queue.send(QueueName::Events, vec![message]).await?)
    }

    /// Sends the message of an operation that was stored in a transaction. A failure is logged and left to the sweeper.
    pub(crate) async fn send_begun(&self, id: &str) {
        if let Err(error) = self.send(id).await {
            tracing::warn!(operation = id, "the sweeper sends the message of operation {id}: {error}");
        }
    }

    /// Looks again at an edit of the last minutes: an execution may have begun to wait by the former revision in the
    /// moment of the save, and indexes lag.
    pub(crate) async fn settle(&self, head: &Head) -> Result<(), Error> {
        if head.revision == 1 {
            return Ok(());
        }
        let present = self.catalog.plan(&head.id, head.revision).await?;
        match self.of_edit(head, &present.workflow).await? {
            Some(operation) => self.begin(&operation).await,
            None => Ok(()),
        }
    }

    /// The operation of an edit: what waits at a step that an edit deleted or replaced moves on at once, also if nothing
    /// would ever wake it there, and a goal that was edited is looked at again. `None` if the edit touches no wait.
    pub(crate) async fn of_edit(&self, head: &Head, present: &Workflow) -> Result<Option<Operation>, Error> {
        if head.pinned || head.revision == 1 {
            return Ok(None);
        }
        let touches = match self.catalog.plan(&head.id, head.revision - 1).await {
            Ok(former) => touches_waits(&former.workflow, present),
            // It cannot be told what the edit touched.
            Err(Error::Unreadable(unreadable)) => {
                self.catalog.unreadable().pass_over(&unreadable);
                true
            }
            Err(error) => return Err(error),
        };
        Ok(touches.then(|| Operation::of_edit(&head.id, head.revision, self.clock.now())))
    }

    /// The operation of a save or a switch after which date triggers fire at other times; `None` if they do not, or there are
    /// none. It begins when the save or the switch says that it was made, however long its write took: what fell due meanwhile
    /// fires late.
    pub(crate) fn of_dates(before: Option<&Head>, after: &mut Head, plan: &Plan) -> Option<Operation> {
        after.dates = dates::text(after, plan);
        let (text, former) = (after.dates.as_ref()?, before.and_then(|head| head.dates.as_ref()));
        let object = plan.workflow.object.as_deref().filter(|_| former != Some(text))?;
        let at = after.active_since.map_or(after.saved_at, |since| since.max(after.saved_at));
        Some(Operation::of_dates(&after.id, object, after.version, at))
    }

    /// Sees to operations that are not over: of those that were silent too long the message is sent again, and those
    /// that wait for dead letters get them. Each has its turn although another fails; the first failure is returned.
    pub(crate) async fn see_to(&self, page: &[Item], letters: &dyn DeadLetters) -> Result<(), Error> {
        let (running, _) = self.catalog.unreadable().read(page, operation::parse);
        let mut result = Ok(());
        for operation in running {
            let is_silent = self.clock.now().duration_since(operation.updated_at) >= SILENT;
            if operation.phase == operation::Phase::DeadLetters {
                result = result.and(self.redrive(operation, letters, LETTERS).await.map(drop));
            } else if is_silent && operation.state == State::Running {
                result = result.and(self.resume(operation).await);
            }
        }
        result
    }

    /// Sends the message of an operation again, and notes when.
    async fn resume(&self, operation: Operation) -> Result<(), Error> {
        let (id, now) = (operation.id.clone(), self.clock.now());
        match self.write(Operation { updated_at: now, ..operation }).await {
            // It goes on.
            Err(error) if error.is_conflict() => Ok(()),
            result => {
                result?;
                tracing::warn!(operation = id, "operation {id} goes on: its message was lost");
                self.send(&id).await
            }
        }
    }

    /// Puts up to so many dead letters back for an operation; returns the operation as it is then.
    pub(crate) async fn redrive(
        &self,
        operation: Operation,
        letters: &dyn DeadLetters,
        most: usize,
    ) -> Result<Operation, Error> {
        let moved = letters.redrive(most).await?;
        let has_letters = moved >= most;
        let messages = operation.messages + u64::try_from(moved).unwrap_or(u64::MAX);
        let is_over = operation.phase == operation::Phase::DeadLetters && !has_letters;
        let state = if is_over { State::Completed } else { operation.state };
        let after = Operation { has_letters, messages, state, updated_at: self.clock.now(), ..operation };
        match self.write(after.clone()).await {
            // Its other pages went on meanwhile; the letters are looked for once more.
            Err(error) if error.is_conflict() || error.is_unknown() => Ok(after),
            result => result,
        }
    }

    /// Marks an operation whose message was given up.
    pub(crate) async fn fail(&self, id: &str, why: &str) -> Result<(), Error> {
        let Some(operation) = self.read(id).await? else { return Ok(()) };
        if operation.state != State::Running {
            return Ok(());
        }
        tracing::error!(operation = id, "operation {id} failed: {why}");
        let failed = Operation { state: State::Failed, error: Some(why.to_owned()), ..operation };
        match self.write(failed).await {
            Err(error) if error.is_conflict() => Ok(()),
            result => result.map(drop),
        }
    }

    /// Writes an operation over the version that was read; returns it as it is stored then.
    async fn write(&self, operation: Operation) -> Result<Operation, Error> {
        self.write_with(operation, Vec::new()).await
    }

    /// The same, with other writes in the transaction.
    async fn write_with(&self, operation: Operation, others: Vec<Write>) -> Result<Operation, Error> {
        let expect = Expect::Version(operation.version);
        let after = Operation { version: operation.version + 1, ..operation };
        self.put_with(&after, expect, others).await?;
        Ok(after)
    }

    async fn put(&self, operation: &Operation, expect: Expect) -> Result<(), Error> {
        self.put_with(operation, expect, Vec::new()).await
    }

    async fn put_with(&self, operation: &Operation, expect: Expect, others: Vec<Write>) -> Result<(), Error> {
        let put = Write::Put { table: operation::TABLE, item: operation::item(operation), expect };
        let writes = std::iter::once(put).chain(others).collect();
        // What a person began, or what executions were told, is not forgotten with a crash of the disk.
        let durability = if operation.action.is_some() { Durability::Durable } else { Durability::Ordered };
        Ok(self.tables.transact(Transaction { writes, durability }).await?)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Whether an edit concerns those who wait at one of a workflow's steps.
fn touches_waits(former: &Workflow, present: &Workflow) -> bool {
    let steps = present.all_steps();
    let present_step = |id: &str| steps.iter().find(|step| step.id == id).copied();
    let touched = former.all_steps().into_iter().any(|step| wait_is_touched(step, present_step(&step.id)));
    touched || former.edits == Edits::Pinned
}

/// Whether an edit concerns those who wait at a step: they keep the due time of a delay, and nothing else.
fn wait_is_touched(former: &Step, present: Option<&Step>) -> bool {
    present.is_none_or(|present| {
        former.kind.tag() != present.kind.tag() || former.kind.shape().awaits() != present.kind.shape().awaits()
    })
}

/// In words, for the log.
fn kind_of(operation: &Operation) -> &'static str {
    match (operation.kind, &operation.action) {
        (_, Some(action)) => action.task.word(),
        (Kind::Edit, None) => "edit",
        (Kind::Lift, None) => "lift",
        (Kind::Redrive, None) => "redrive",
        (Kind::Action, None) => "action",
        (Kind::Dates, None) => "dates",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A write may take as long as its process stands still.
    #[test]
    fn dates_count_from_the_time_that_the_save_or_the_switch_tells() {
        let workflow = json!({
            "workflow": "w", "owner": "ada@example.com", "object": "ticket", "steps": [],
            "triggers": [{"id": "due", "type": "date", "field": "due"}],
        });
        let workflow: Workflow = serde_json::from_value(workflow).expect("it has its shape");
        let plan = Plan::new(Arc::new(workflow), 2);
        let begun_at = |saved_at: &str, active_since: &str| {
            let head = json!({
                "id": "w", "name": "W", "owner": "ada@example.com", "revision": 2, "version": 2, "active": true,
                "saved_at": saved_at, "active_since": active_since,
            });
            let mut head: Head = serde_json::from_value(head).expect("it has its shape");
            let operation = Operations::of_dates(None, &mut head, &plan).expect("it fires at other times");
            operation.begun_at.to_string()
        };
        let (earlier, later) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        assert_eq!(begun_at(later, earlier), later, "a save");
        assert_eq!(begun_at(earlier, later), later, "a switch");
    }
}
