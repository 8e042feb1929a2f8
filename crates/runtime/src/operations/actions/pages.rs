//! The pages of an action: it counts whom it concerns, then acts on them.

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::super::Operations;
use super::super::action::{Action, Counts, FailureGroup, Reason, Target, Task, Verdict};
use super::entry;
use crate::Error;
use crate::items::audit::Stage;
use crate::items::operation::{Operation, Phase, State};
use crate::items::operation_result::{self, OperationResult};
use crate::place::Place;
use crate::ports::{Expect, Write};

/// Most targets of one batch: each may make a row in the transaction that stores what came of the batch.
const BATCH_MOST: usize = 50;

/// Pages that are searched for one batch.
const PAGES_MOST: usize = 20;

/// A wait that is not worth a message.
const SHORT: SignedDuration = SignedDuration::from_secs(1);

/// The longest delay of a message.
const DELAY_MOST: SignedDuration = SignedDuration::from_secs(900);

/// Somebody whom an action concerns.
pub(super) struct Candidate {
    pub(super) target: Target,
    /// The failure of the execution.
    pub(super) failure: Option<FailureGroup>,
}

/// Some of those whom an action concerns.
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    /// Where the search goes on; `None` if all were seen.
    pub(super) next: Option<Place>,
}

/// What came of touching one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Came {
    Done,
    /// Others have changed it, so that it does not fit any more.
    Unchanged,
    Refused(Reason),
    Failed(Reason),
}

impl Operations {
    /// How long an action waits before it touches its batch.
    pub(in crate::operations) fn wait(&self, operation: &Operation) -> Option<SignedDuration> {
        let action = operation.action.as_ref().filter(|action| !action.batch.is_empty())?;
        let wait = action.free_at?.duration_since(self.now());
        // Queues delay by whole seconds.
        let seconds = SignedDuration::from_secs(wait.as_secs() + i64::from(wait.subsec_nanos() > 0));
        (wait >= SHORT).then(|| seconds.min(DELAY_MOST))
    }

    /// Handles the next page of an action; returns the operation as it is after it, and what is written with it.
    pub(in crate::operations) async fn action_page(
        &self,
        operation: Operation,
    ) -> Result<(Operation, Vec<Write>), Error> {
        match operation.phase {
            Phase::Counting => self.count(operation).await,
            _ => self.touch(operation).await,
        }
    }

    async fn count(&self, operation: Operation) -> Result<(Operation, Vec<Write>), Error> {
        let mut action = action_of(&operation).clone();
        let mut found = self.search(&operation, &action, place(&operation), self.limits.page).await?;
        for _ in 0..PAGES_MOST {
            let Some(next) = found.next.clone().filter(|_| found.candidates.is_empty()) else { break };
            found = self.search(&operation, &action, next, self.limits.page).await?;
        }
        for some in found.candidates.chunks(at_once(&action)) {
            let judged = join_all(some.iter().map(|candidate| self.judged(&operation, &action, candidate)));
            for (candidate, refused) in some.iter().zip(judged.await) {
                action.preview.add(&candidate.target.id, refused?);
                candidate.failure.iter().for_each(|failure| action.preview.add_failure(failure.clone()));
            }
        }
        let Some(next) = found.next else { return Ok(counted(operation, action)) };
        Ok((Operation { after: Some(next.text()), action: Some(Box::new(action)), ..operation }, Vec::new()))
    }

    /// Why a candidate would be refused, or would fail.
    async fn judged(
        &self,
        operation: &Operation,
        action: &Action,
        candidate: &Candidate,
    ) -> Result<Option<Reason>, Error> {
        if let Some(reason) = &candidate.target.failed {
            return Ok(Some(reason.clone()));
        }
        let judged = match &action.task {
            Task::Control(controls) => self.would_refuse_control(operation, controls, &candidate.target.id).await,
            Task::Start(starts) => self.would_refuse_start(operation, starts, &candidate.target.id).await,
        };
        judged.or_else(|error| of_one(error).map(Some))
    }

    /// Touches the batch in hand, and takes the next one in hand.
    async fn touch(&self, operation: Operation) -> Result<(Operation, Vec<Write>), Error> {
        let mut action = action_of(&operation).clone();
        let began = self.now();
        let mut writes = Vec::new();
        for some in action.batch.chunks(at_once(&action)) {
            let touched = join_all(some.iter().map(|target| self.touch_one(&operation, &action, target)));
            for (target, came) in some.iter().zip(touched.await) {
                let came = came?;
                count_in(&mut action.counts, &came);
                writes.extend(row(&operation, target, came));
            }
        }
        action.free_at = Some(free_after(&action, began));
        action.batch.clear();
        let mut after = operation.after.clone();
        for _ in 0..PAGES_MOST {
            if action.is_searched || !action.batch.is_empty() {
                break;
            }
            let here = after.as_deref().and_then(Place::parse).unwrap_or_default();
            let found = self.search(&operation, &action, here, batch_most(&action, self.limits.page)).await?;
            action.batch = found.candidates.into_iter().map(|candidate| candidate.target).collect();
            action.is_searched = found.next.is_none();
            after = found.next.map(|place| place.text());
        }
        action.counts.selected += u64::try_from(action.batch.len()).unwrap_or(u64::MAX);
        let executions = action.counts.done;
        let is_over = action.is_searched && action.batch.is_empty();
        let state = if is_over { State::Completed } else { operation.state };
        let by = action.by.clone();
        let operation = Operation { after, executions, state, action: Some(Box::new(action)), ..operation };
        if is_over {
            let act = pawl_engine::Act { at: self.now(), ..by };
            writes.extend(entry(&operation, Stage::Completed, &act));
        }
        Ok((operation, writes))
    }

    async fn touch_one(&self, operation: &Operation, action: &Action, target: &Target) -> Result<Came, Error> {
        if let Some(reason) = &target.failed {
            return Ok(Came::Failed(reason.clone()));
        }
        let came = match &action.task {
            Task::Control(controls) => self.control_one(operation, controls, &target.id).await,
            Task::Start(starts) => self.start_one(operation, starts, &target.id).await,
        };
        came.or_else(|error| of_one(error).map(Came::Failed))
    }

    async fn search(&self, operation: &Operation, action: &Action, place: Place, limit: usize) -> Result<Found, Error> {
        match &action.task {
            Task::Control(controls) => self.search_executions(operation, controls, place, limit).await,
            Task::Start(starts) => self.search_records(operation, starts, place, limit).await,
        }
    }

    /// What a page came to, over what a person wrote meanwhile: the action was paused or canceled. `None` if another worker
    /// has handled the page.
    pub(in crate::operations) async fn beside_a_person(
        &self,
        before: &Operation,
        after: Operation,
    ) -> Result<Option<Operation>, Error> {
        let Some(stored) = self.read(&before.id).await? else { return Ok(None) };
        let is_same = |action: &Action, other: &Action| action.counts == other.counts && action.batch == other.batch;
        let same_page = match (&stored.action, &before.action) {
            (Some(stored), Some(before)) => is_same(stored, before),
            _ => false,
        };
        let by_person = matches!(stored.state, State::Paused | State::Canceled);
        if !by_person || !same_page || (&stored.phase, &stored.after) != (&before.phase, &before.after) {
            return Ok(None);
        }
        let is_over = after.state == State::Completed && stored.state == State::Paused;
        let state = if is_over { State::Completed } else { stored.state };
        Ok(Some(Operation { state, version: stored.version, ..after }))
    }
}

fn action_of(operation: &Operation) -> &Action {
    operation.action.as_ref().expect("an operation of this kind has an action")
}

fn place(operation: &Operation) -> Place {
    operation.after.as_deref().and_then(Place::parse).unwrap_or_default()
}

/// Everybody is counted: the action acts, or waits for a person.
fn counted(operation: Operation, action: Action) -> (Operation, Vec<Write>) {
    let state = if action.awaits_run && operation.state == State::Running { State::Ready } else { operation.state };
    let (by, begins) = (action.by.clone(), !action.awaits_run);
    let operation = Operation { phase: Phase::Acting, after: None, state, action: Some(Box::new(action)), ..operation };
    let writes = begins.then(|| entry(&operation, Stage::Begun, &by)).flatten();
    (operation, writes.into_iter().collect())
}

fn at_once(action: &Action) -> usize {
    usize::try_from(action.limits.concurrency).unwrap_or(usize::MAX).max(1)
}

/// Targets of a batch: no more than the rate lets through in a second.
fn batch_most(action: &Action, page: usize) -> usize {
    let rate = usize::try_from(action.limits.rate).unwrap_or(usize::MAX);
    rate.min(BATCH_MOST).min(page).max(1)
}

/// When the next batch may be touched, by the rate.
fn free_after(action: &Action, began: Timestamp) -> Timestamp {
    let touched = u64::try_from(action.batch.len()).unwrap_or(u64::MAX);
    let millis = touched.saturating_mul(1_000) / u64::from(action.limits.rate.max(1));
    let span = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    action.free_at.map_or(began, |free| free.max(began)).saturating_add(span).unwrap_or(Timestamp::MAX)
}

fn count_in(counts: &mut Counts, came: &Came) {
    *match came {
        Came::Done => &mut counts.done,
        Came::Unchanged => &mut counts.unchanged,
        Came::Refused(_) => &mut counts.refused,
        Came::Failed(_) => &mut counts.failed,
    } += 1;
}

/// The row of a target that was refused or failed.
fn row(operation: &Operation, target: &Target, came: Came) -> Option<Write> {
    let (verdict, reason) = match came {
        Came::Refused(reason) => (Verdict::Refused, reason),
        Came::Failed(reason) => (Verdict::Failed, reason),
        Came::Done | Came::Unchanged => return None,
    };
    let result = OperationResult { target: target.id.clone(), verdict, reason };
    let item = operation_result::item(&operation.id, operation.begun_at, &result);
    Some(Write::Put { table: operation_result::TABLE, item, expect: Expect::Any })
}

/// A failure that concerns one target and does not go away by itself. Any other one is returned: the batch is touched again
/// later.
fn of_one(error: Error) -> Result<Reason, Error> {
    if error.is_transient() {
        return Err(error);
    }
    Ok(Reason::new(error.code(), error.to_string()))
}
