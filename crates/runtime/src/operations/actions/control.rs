//! Actions that control executions: retry, resume, cancel, skip, redrive.
//!
//! Executions are searched by their state, in the order in which they were made. One that changes its state meanwhile may pass
//! from a partition that is still to be searched to one that was, so the partitions of what moves by itself are searched
//! twice. Only executions that were made before the action began are meant.

use pawl_engine::{Act, Execution, Status, ids};

use super::super::Operations;
use super::super::action::{Controls, FailureGroup, Reason, Target};
use super::pages::{Came, Candidate, Found};
use crate::items::operation::{Operation, Phase};
use crate::items::operation_result;
use crate::place::Place;
use crate::ports::{Index, Item, Query, SortRange, TableError};
use crate::{ControlError, Error, Indicator, Selection, StatePartition, items};

/// What the history of an execution says of the action.
fn act(operation: &Operation, now: jiff::Timestamp) -> Act {
    let by = &operation.action.as_ref().expect("an operation of this kind has an action").by;
    let id = &operation.id;
    let reason = match &by.reason {
        Some(reason) => format!("{reason} (action {id})"),
        None => format!("action {id}"),
    };
    Act { actor: by.actor.clone(), reason: Some(reason), at: now, id: Some(ids::action_control_id(id)) }
}

fn refusal(error: &ControlError) -> Option<Reason> {
    match error {
        ControlError::NotFound(_) => Some(Reason::new("no_execution", "it does not exist, or does not exist any more")),
        ControlError::Refused(refused @ pawl_engine::Refused::Illegal { detail, .. }) => {
            Some(Reason::new("illegal_transition", format!("{refused}: {detail}")))
        }
        ControlError::Failed(_) => None,
    }
}

impl Operations {
    /// Why an execution would refuse the control.
    pub(super) async fn would_refuse_control(
        &self,
        operation: &Operation,
        controls: &Controls,
        id: &str,
    ) -> Result<Option<Reason>, Error> {
        let act = act(operation, self.now());
        match self.transitions.would_control(id, &controls.verb.control(), &act).await {
            Ok(()) => Ok(None),
            Err(ControlError::Failed(error)) => Err(error),
            Err(error) => Ok(refusal(&error)),
        }
    }

    /// Controls one, once.
    pub(super) async fn control_one(
        &self,
        operation: &Operation,
        controls: &Controls,
        id: &str,
    ) -> Result<Came, Error> {
        let act = act(operation, self.now());
        let is_touched =
            |execution: &Execution| execution.step_controls.iter().any(|done| Some(done) == act.id.as_ref());
        let wanted = |execution: &Execution| is_touched(execution) || controls.concerns(execution);
        match self.transitions.control_if(id, &controls.verb.control(), &act, wanted).await {
            Ok(execution) if is_touched(&execution) => Ok(Came::Done),
            Ok(_) => Ok(Came::Unchanged),
            Err(ControlError::Failed(error)) => Err(error),
            Err(error) => Ok(refusal(&error).map_or(Came::Unchanged, Came::Refused)),
        }
    }

    /// The next executions of an action.
    pub(super) async fn search_executions(
        &self,
        operation: &Operation,
        controls: &Controls,
        place: Place,
        limit: usize,
    ) -> Result<Found, Error> {
        let selection = controls.searched();
        if !selection.ids.is_empty() {
            return self.search_ids(controls, &selection, (place, limit)).await;
        }
        let (partitions, once) = partitions(&selection, operation.phase);
        let Some((index, partition)) = partitions.get(place.number) else {
            return Ok(Found { candidates: Vec::new(), next: None });
        };
        let range = range(&selection, operation);
        let query = Query::of_index(items::execution::TABLE, *index, partition).range(range).limit(limit);
        let page = match self.tables.query(&query.clone().after(place.cursor.clone())).await {
            // The cursor was made by a version that laid items out otherwise.
            Err(TableError::Invalid(_)) if place.cursor.is_some() => self.tables.query(&query).await?,
            page => page?,
        };
        let mut candidates = self.candidates(operation, controls, (&selection, &page.items)).await?;
        if place.number > 0 && operation.phase == Phase::Acting {
            self.leave_out_touched(operation, &mut candidates).await?;
        }
        if place.number >= once {
            self.leave_out_told(operation, &mut candidates).await?;
        }
        let number = place.number + usize::from(page.next.is_none());
        let next = (number < partitions.len()).then_some(Place { number, cursor: page.next });
        Ok(Found { candidates, next })
    }

    /// Those of a page whom an action concerns and has not touched yet.
    async fn candidates(
        &self,
        operation: &Operation,
        controls: &Controls,
        (selection, page): (&Selection, &[Item]),
    ) -> Result<Vec<Candidate>, Error> {
        let control = ids::action_control_id(&operation.id);
        let mut candidates = Vec::new();
        for item in page {
            match items::execution::parse(item) {
                Ok(Some(execution)) => {
                    let fits = controls.concerns(&execution) && !execution.step_controls.contains(&control);
                    if fits && self.has_indicator(selection, &execution).await? {
                        candidates.push(candidate(&execution));
                    }
                }
                Ok(None) => {}
                Err(unreadable) => {
                    self.catalog.unreadable().pass_over(&unreadable);
                    let reason = Reason::new("unreadable_item", unreadable.to_string());
                    candidates.extend(of_unreadable(item, selection).map(|id| failed(id, reason)));
                }
            }
        }
        Ok(candidates)
    }

    /// The executions of a list of ids.
    async fn search_ids(
        &self,
        controls: &Controls,
        selection: &Selection,
        (place, limit): (Place, usize),
    ) -> Result<Found, Error> {
        let ids: Vec<_> = selection.ids.iter().skip(place.number).take(limit).collect();
        let keys: Vec<_> = ids.iter().map(|id| (items::execution::TABLE, items::execution::key(id))).collect();
        let found = self.tables.get_many(&keys).await?;
        let mut candidates = Vec::new();
        for (id, item) in ids.iter().zip(found) {
            let execution = item.as_ref().map(items::execution::parse).transpose();
            match execution.map(Option::flatten) {
                Ok(Some(execution)) if controls.concerns(&execution) => {
                    candidates.push(candidate(&execution));
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    candidates.push(failed((*id).clone(), Reason::new("no_execution", "it does not exist")));
                }
                Err(error) => {
                    candidates.push(failed((*id).clone(), Reason::new("unreadable_item", error.to_string())));
                }
            }
        }
        let number = place.number + ids.len();
        let next = (number < selection.ids.len()).then_some(Place { number, cursor: None });
        Ok(Found { candidates, next })
    }

    /// Whether an execution has the indicator of a filter: its workflow or the installation may be killed.
    async fn has_indicator(&self, selection: &Selection, execution: &Execution) -> Result<bool, Error> {
        if selection.indicator != Some(Indicator::Killed) || execution.killed.is_some() {
            return Ok(true);
        }
        if self.catalog.read_installation().await?.killed.is_some() {
            return Ok(true);
        }
        Ok(self.catalog.head(&execution.workflow).await?.is_some_and(|head| head.killed.is_some()))
    }

    /// Leaves out those that the action has touched in a partition that was searched before, and that have moved on since: indexes
    /// lag, so their heads are asked. One that was counted would be counted again.
    async fn leave_out_touched(&self, operation: &Operation, candidates: &mut Vec<Candidate>) -> Result<(), Error> {
        let key = |candidate: &Candidate| (items::execution::TABLE, items::execution::key(&candidate.target.id));
        let keys: Vec<_> = candidates.iter().map(key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let control = ids::action_control_id(&operation.id);
        let is_touched = |head: Option<Item>| {
            let execution = head.and_then(|head| items::execution::parse(&head).ok().flatten());
            execution.is_some_and(|execution| execution.step_controls.contains(&control))
        };
        let mut heads = self.tables.get_many(&keys).await?.into_iter();
        candidates.retain(|_| !heads.next().is_some_and(is_touched));
        Ok(())
    }

    /// Leaves out those of whom the list of results tells already.
    async fn leave_out_told(&self, operation: &Operation, candidates: &mut Vec<Candidate>) -> Result<(), Error> {
        let key = |candidate: &Candidate| operation_result::key(&operation.id, &candidate.target.id);
        let keys: Vec<_> = candidates.iter().map(|candidate| (operation_result::TABLE, key(candidate))).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut told = self.tables.get_many(&keys).await?.into_iter();
        candidates.retain(|_| told.next().flatten().is_none());
        Ok(())
    }
}

fn candidate(execution: &Execution) -> Candidate {
    let at_cursor = || execution.steps.get(execution.cursor.as_deref()?)?.error.as_ref();
    let error = if execution.status.is_ended() { execution.error.as_ref() } else { at_cursor() };
    let failure = error.map(|error| FailureGroup {
        workflow: execution.workflow.clone(),
        step: execution.cursor.clone(),
        code: error.code.to_string(),
        count: 1,
    });
    Candidate { target: Target { id: execution.id.clone(), failed: None }, failure }
}

fn failed(id: String, reason: Reason) -> Candidate {
    Candidate { target: Target { id, failed: Some(reason) }, failure: None }
}

/// The id of an execution that cannot be read, if its index does not say that it is of another workflow.
fn of_unreadable(item: &Item, selection: &Selection) -> Option<String> {
    let workflow = item.indexes.iter().find(|entry| entry.index == Index::Gsi1);
    let is_other = selection
        .workflow
        .as_ref()
        .zip(workflow)
        .is_some_and(|(wanted, entry)| entry.partition != items::execution::of_workflow(wanted));
    items::execution::id(&item.key).filter(|_| !is_other).map(str::to_owned)
}

/// The partitions that are searched, and how many of them before the second time.
fn partitions(selection: &Selection, phase: Phase) -> (Vec<(Index, String)>, usize) {
    if let Some(record) = &selection.record {
        return (vec![(Index::Gsi2, items::execution::of_record(record))], 1);
    }
    let by_state = |partition: StatePartition| (Index::Gsi3, partition.partition());
    let mut all: Vec<_> = selection.partitions().map(by_state).collect();
    let once = all.len();
    let moves = |partition: &StatePartition| match partition {
        StatePartition::Moving => true,
        StatePartition::At(status) => matches!(status, Status::Queued | Status::Running | Status::Waiting),
    };
    if phase == Phase::Acting {
        all.extend(selection.partitions().filter(moves).map(by_state));
    }
    (all, once)
}

/// Executions that were made before the action began, and in the time of the filter.
fn range(selection: &Selection, operation: &Operation) -> SortRange {
    let from = selection.since.map_or_else(|| "0".to_owned(), items::sortable);
    let until = selection.until.map_or(operation.begun_at, |until| until.min(operation.begun_at));
    SortRange::Between(from, items::sortable(until))
}
