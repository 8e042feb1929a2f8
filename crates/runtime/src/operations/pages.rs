//! The pages of an operation.

use futures::future::join_all;
use jiff::Timestamp;
use pawl_definition::step::Waiting;
use pawl_engine::{Execution, Plan, Status};

use super::{Operations, kind_of};
use crate::items::operation::{Kind, Operation, Phase, State};
use crate::ports::{Index, Item, Query, TableError};
use crate::turn::Turn;
use crate::waker::overdue;
use crate::{Error, Metrics, items};

/// Pages that one message of an operation is for. A message is given up whose processes die again and again; one after the other,
/// those of a long operation each get somewhere, so it is not given up because processes die.
const PAGES_OF_A_MESSAGE: usize = 4;

impl Operations {
    /// Goes on with an operation until it is over, or for some pages, or until the deadline; then its message is sent on. The
    /// cursor is stored after each page. A worker that finds another cursor stored leaves the rest to the worker that stored it.
    pub(crate) async fn go_on(&self, id: &str, deadline: Option<Timestamp>) -> Result<(), Error> {
        let Some(mut operation) = self.read(id).await? else {
            tracing::warn!(operation = id, "a message of an unknown operation {id} is dropped");
            return Ok(());
        };
        if operation.state == State::Failed {
            operation = Operation { state: State::Running, error: None, ..operation };
        }
        let mut turn = Turn::new(&*self.clock, deadline, self.limits);
        let mut pages = 0;
        while operation.state == State::Running && operation.phase != Phase::DeadLetters {
            if let Some(wait) = self.wait(&operation) {
                return self.send_later(id, wait).await;
            }
            if pages == PAGES_OF_A_MESSAGE {
                return self.send(id).await;
            }
            pages += 1;
            if !turn.take() {
                Metrics::count(&self.metrics.runs_cut_short);
                tracing::info!(
                    operation = id,
                    executions = operation.executions,
                    "operation {id} goes on in another run"
                );
                return self.send(id).await;
            }
            let Some(after) = self.handle_page(operation).await? else { return Ok(()) };
            operation = after;
        }
        if operation.state == State::Completed {
            let (kind, executions) = (kind_of(&operation), operation.executions);
            tracing::info!(operation = id, kind, executions, "operation {id} has reached {executions} executions");
        }
        Ok(())
    }

    /// Handles the next page, and stores where the operation stands then; `None` if another worker does so.
    async fn handle_page(&self, operation: Operation) -> Result<Option<Operation>, Error> {
        let before = operation.clone();
        let (after, writes) = match operation.action {
            Some(_) => self.action_page(operation).await?,
            None => (self.page(operation).await?, Vec::new()),
        };
        let after = Operation { updated_at: self.now(), ..after };
        match self.write_with(after.clone(), writes.clone()).await {
            Err(error) if error.is_conflict() => {
                let Some(after) = self.beside_a_person(&before, after).await? else { return Ok(None) };
                match self.write_with(after, writes).await {
                    Err(error) if error.is_conflict() => Ok(None),
                    result => result.map(Some),
                }
            }
            result => result.map(Some),
        }
    }

    /// Handles the next page; returns the operation as it is after it.
    async fn page(&self, operation: Operation) -> Result<Operation, Error> {
        let query = query(&operation).limit(self.limits.page).after(operation.after.clone());
        let page = match self.tables.query(&query).await {
            // The cursor was made by a version that laid items out otherwise.
            Err(TableError::Invalid(_)) if operation.after.is_some() => {
                return Ok(Operation { after: None, ..operation });
            }
            page => page?,
        };
        let reached = match (operation.phase, operation.kind) {
            (Phase::Records, _) => self.index_dates(&operation, &page.items).await?,
            // Those that wait for a short time stand among those that move.
            (Phase::Waiting | Phase::Paused, _) | (Phase::Moving, Kind::Edit) => {
                self.look_again(&operation, &page.items).await?
            }
            _ => self.wake(&operation, &page.items).await?,
        };
        let executions = operation.executions + u64::try_from(reached).unwrap_or(u64::MAX);
        let operation = Operation { executions, after: page.next, ..operation };
        Ok(if operation.after.is_some() { operation } else { after_phase(operation) })
    }

    /// Lets the entries of dates follow. What is planned after the change counts.
    async fn index_dates(&self, operation: &Operation, page: &[Item]) -> Result<usize, Error> {
        let Some(workflow) = &operation.workflow else { return Ok(0) };
        self.dates.index_page(workflow, page, operation.begun_at).await
    }

    async fn wake(&self, operation: &Operation, page: &[Item]) -> Result<usize, Error> {
        let is_ours = |execution: &Execution| is_of(operation, execution);
        let stalled = operation.kind == Kind::Redrive;
        self.waker.wake(page, operation.begun_at, |execution| is_ours(execution) && execution.stalled == stalled).await
    }

    /// Lets executions look again at what they wait for. Each has its turn although another fails; a failure that goes
    /// away by itself is returned, and any other one is logged: nothing that comes of one execution stops the others.
    async fn look_again(&self, operation: &Operation, page: &[Item]) -> Result<usize, Error> {
        let (read, _) = self.catalog.unreadable().read(page, items::execution::parse);
        let plan = self.plan(operation).await?;
        let looks = |execution: &Execution| match execution.status {
            Status::Waiting if execution.stalled && operation.kind == Kind::Redrive => {
                execution.waiting.is_some() || !execution.is_due(operation.begun_at)
            }
            Status::Waiting => looks(execution, plan.as_deref()),
            Status::Paused => is_waited_for(execution),
            _ => false,
        };
        let chosen = |execution: &Execution| is_of(operation, execution) && looks(execution);
        let chosen: Vec<_> = read.into_iter().flatten().filter(chosen).map(|execution| execution.id).collect();
        let mut result = Ok(chosen.len());
        for some in chosen.chunks(self.limits.at_once) {
            let mut looking = Vec::new();
            for id in some {
                looking.push(self.transitions.look_again(id));
            }
            for (execution_id, looked) in some.iter().zip(join_all(looking).await) {
                result = result.and_then(|count| self.passed_over(operation, execution_id, looked).map(|()| count));
            }
        }
        result
    }

    /// What becomes of a failure to let one execution look again.
    fn passed_over(&self, operation: &Operation, execution_id: &str, looked: Result<(), Error>) -> Result<(), Error> {
        match looked {
            Ok(()) => Ok(()),
            // Another item of it cannot be read: a redrive looks again once it is restored.
            Err(Error::Unreadable(error)) => {
                self.catalog.unreadable().pass_over(&error);
                Ok(())
            }
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                tracing::error!(execution_id, operation = operation.id, "{execution_id} is passed over: {error}");
                Ok(())
            }
        }
    }

    /// The plan of an edit's revision; `None` of any other operation, and if it cannot be read.
    async fn plan(&self, operation: &Operation) -> Result<Option<std::sync::Arc<Plan>>, Error> {
        let (Some(workflow), Some(revision)) = (&operation.workflow, operation.revision) else { return Ok(None) };
        match self.catalog.plan(workflow, revision).await {
            Err(Error::Unreadable(unreadable)) => {
                self.catalog.unreadable().pass_over(&unreadable);
                Ok(None)
            }
            plan => plan.map(Some),
        }
    }
}

fn query(operation: &Operation) -> Query {
    let by = operation.begun_at;
    match operation.phase {
        Phase::Due => overdue(Index::Gsi4, items::execution::DUE, by),
        Phase::Moving => overdue(Index::Gsi3, items::execution::MOVING, by),
        Phase::Paused => in_status(Status::Paused),
        Phase::Records => {
            let object = operation.object.as_deref().unwrap_or_default();
            Query::of(items::record::TABLE, items::record::partition(object))
        }
        Phase::Waiting | Phase::DeadLetters | Phase::Counting | Phase::Acting => in_status(Status::Waiting),
    }
}

fn in_status(status: Status) -> Query {
    Query::of_index(items::execution::TABLE, Index::Gsi3, items::execution::of_status(status))
}

/// An operation whose phase is over.
fn after_phase(operation: Operation) -> Operation {
    let phase = match operation.phase {
        Phase::Due => Phase::Moving,
        Phase::Moving => Phase::Waiting,
        Phase::Waiting if operation.kind == Kind::Lift => Phase::Paused,
        Phase::Waiting | Phase::Paused | Phase::DeadLetters | Phase::Counting | Phase::Acting | Phase::Records => {
            Phase::DeadLetters
        }
    };
    let is_over = phase == Phase::DeadLetters && !operation.has_letters;
    let state = if is_over { State::Completed } else { operation.state };
    Operation { state, phase, ..operation }
}

/// Whether an operation concerns an execution.
fn is_of(operation: &Operation, execution: &Execution) -> bool {
    operation.workflow.as_ref().is_none_or(|workflow| *workflow == execution.workflow)
}

/// Whether somebody waits for an execution, or did until a cancel.
fn is_waited_for(execution: &Execution) -> bool {
    execution.parent.as_ref().is_some_and(|parent| parent.waiting().next().is_some())
}

/// Whether a waiting execution looks again: after an edit those who wait at a delay that is there still need not, and
/// else only those who listen to events.
fn looks(execution: &Execution, edited: Option<&Plan>) -> bool {
    let Some(plan) = edited else { return execution.waiting.is_some() };
    let step = execution.cursor.as_deref().and_then(|id| plan.step(id));
    let is_delay = step.is_some_and(|step| step.kind.shape().waits() == Some(Waiting::Time));
    execution.waiting.is_some() || !is_delay
}
