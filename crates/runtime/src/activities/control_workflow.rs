//! `control_workflow`: pauses, resumes or cancels executions for a step. It reaches nothing outside of Pawl.
//!
//! Executions on a record stand together, those that have ended too. Executions on no record are looked for among all that are
//! open, by their state: a workflow may have a million that have ended. One that changes its state meanwhile may pass from a
//! state that is still to be looked at to one that was, so the states of what moves by itself are looked at twice.

use pawl_engine::{
    Act, ChildRecord, Control, ControlTarget, ControlledExecution, Execution, ExecutionControls, ExecutionSearch,
    FoundExecution, Performed, Requested, SearchedExecutions, Status, StepError, Subject,
};
use serde_json::{Value, json};

use super::lease::LeaseGuard;
use super::start_workflow::{Refused, actor, plan, unknown};
use crate::place::Place;
use crate::ports::{Index, Query, SortRange, TableError};
use crate::{ControlError, Error, Evaluator, items};

/// Executions after which a search ends: the control of each takes some reads and writes of its own, one after the other.
const FOUND_MOST: usize = 25;

/// Pages that a search reads in one call.
const PAGES_MOST: usize = 20;

/// Executions of a page, which may all be found before a search ends.
const PAGE: usize = 50;

/// Looks for some, and says where the next call goes on.
pub(super) async fn find(evaluator: &Evaluator, search: &ExecutionSearch, lease: LeaseGuard<'_>) -> Performed {
    let mut call =
        Search { evaluator, asked: search, own: &lease.execution.id, said: SearchedExecutions::default(), pages: 0 };
    match call.run().await {
        Ok(()) => Performed::done(json!(call.said)),
        Err(error) => Performed::failed(failure(&error)),
    }
}

/// Controls them. A failure of infrastructure fails the call; the executions that were controlled before it know the control,
/// and the next attempt finds it done.
pub(super) async fn control(evaluator: &Evaluator, controls: &ExecutionControls, lease: LeaseGuard<'_>) -> Performed {
    let (reason, id) = (controls.reason.clone(), Some(controls.id.clone()));
    let act = Act { actor: actor(lease.execution), reason, at: lease.clock.now(), id };
    let mut controlled = Vec::new();
    for found in &controls.executions {
        if let Err(error) = lease.allows(jiff::SignedDuration::ZERO) {
            return Performed::failed(error);
        }
        match one(evaluator, (controls, &act), found).await {
            Ok(came) => controlled.extend(came),
            Err(error) => return Performed::failed(failure(&error)),
        }
    }
    Performed::done(json!(controlled))
}

/// Controls one; none if others were faster, or it expired.
async fn one(
    evaluator: &Evaluator,
    (controls, act): (&ExecutionControls, &Act),
    found: &FoundExecution,
) -> Result<Option<ControlledExecution>, Error> {
    let FoundExecution { workflow, execution_id } = found;
    let refused_as = |why| refused(workflow, Some(execution_id), why);
    let wanted = |execution: &Execution| {
        has_work(&controls.control, execution) || execution.step_controls.contains(&controls.id)
    };
    match evaluator.transitions.control_if(execution_id, &controls.control, act, wanted).await {
        Ok(execution) if execution.step_controls.contains(&controls.id) => Ok(Some(ControlledExecution {
            workflow: workflow.clone(),
            execution_id: Some(execution_id.clone()),
            status: done(&controls.control).to_owned(),
            error: Value::Null,
        })),
        Ok(_) | Err(ControlError::NotFound(_)) => Ok(None),
        Err(ControlError::Refused(why @ pawl_engine::Refused::Illegal { detail, .. })) => {
            Ok(Some(refused_as(Refused { code: "not_controlled", message: format!("{why}: {detail}") })))
        }
        // What cannot be read of one execution does not concern the others.
        Err(ControlError::Failed(Error::Unreadable(unreadable))) => {
            evaluator.catalog.unreadable().pass_over(&unreadable);
            Ok(Some(refused_as(Refused { code: "unreadable_item", message: unreadable.to_string() })))
        }
        Err(ControlError::Failed(error)) => Err(error),
    }
}

fn refused(workflow: &str, execution: Option<&str>, Refused { code, message }: Refused) -> ControlledExecution {
    ControlledExecution {
        workflow: workflow.to_owned(),
        execution_id: execution.map(str::to_owned),
        status: "refused".to_owned(),
        error: json!({"code": code, "message": message}),
    }
}

/// A search under way.
struct Search<'a> {
    evaluator: &'a Evaluator,
    asked: &'a ExecutionSearch,
    /// The execution that searches, which is never meant.
    own: &'a str,
    said: SearchedExecutions,
    pages: usize,
}

impl Search<'_> {
    async fn run(&mut self) -> Result<(), Error> {
        let mut after = self.asked.after.clone();
        for target in &self.asked.targets {
            if let Some(place) = self.target(target, after.take()).await? {
                self.said.after = Some(place.text());
                return Ok(());
            }
            self.said.finished += 1;
        }
        Ok(())
    }

    /// Whether the call has done so much that the next one goes on.
    fn is_full(&self) -> bool {
        self.said.found.len() >= FOUND_MOST || self.pages >= PAGES_MOST
    }

    /// The executions of a target; returns where to go on if not all of them were seen.
    async fn target(&mut self, target: &ControlTarget, after: Option<String>) -> Result<Option<Place>, Error> {
        let record = match self.record(target).await? {
            Ok(record) => record,
            Err(why) => {
                self.said.refused.push(refused(&target.workflow, None, why));
                return Ok(None);
            }
        };
        let places = self.places(record.as_ref());
        let mut place = after.as_deref().and_then(Place::parse).unwrap_or_default();
        while let Some((index, partition)) = places.get(place.number) {
            if self.is_full() {
                return Ok(Some(place));
            }
            let cursor = self.page(target, record.as_ref(), (*index, partition, place.cursor)).await?;
            let number = place.number + usize::from(cursor.is_none());
            place = Place { number, cursor };
        }
        Ok(None)
    }

    /// The record of a target. An id alone is one of the workflow's object.
    async fn record(&self, target: &ControlTarget) -> Result<Result<Option<Subject>, Refused>, Error> {
        let workflow = &target.workflow;
        let Some(plan) = plan(self.evaluator, workflow).await? else { return Ok(Err(unknown(workflow))) };
        let Some(ChildRecord { object, id }) = &target.record else { return Ok(Ok(None)) };
        let Some(object) = object.as_ref().or(plan.workflow.object.as_ref()) else {
            let message = format!("workflow {workflow:?} runs on no record, and not on {id}");
            return Ok(Err(Refused { code: "record_not_expected", message }));
        };
        Ok(Ok(Some(Subject { object: object.clone(), id: id.clone() })))
    }

    /// Where executions of a target stand that may be meant.
    fn places(&self, record: Option<&Subject>) -> Vec<(Index, String)> {
        let at = |status| (Index::Gsi3, items::execution::of_status(status));
        let moving = || (Index::Gsi3, items::execution::MOVING.to_owned());
        let open = || [moving(), at(Status::Waiting), at(Status::Queued), at(Status::Running)];
        match (record, &self.asked.control) {
            (Some(record), _) => vec![(Index::Gsi2, items::execution::of_record(record))],
            // Only a pause that waits for the step in progress becomes one that stands.
            (None, Control::Resume) => vec![moving(), at(Status::Paused)],
            (None, Control::Pause) => open().into_iter().chain(open()).collect(),
            (None, _) => open().into_iter().chain([at(Status::Paused)]).chain(open()).collect(),
        }
    }

    /// Finds executions of a page; returns the cursor of the next one.
    async fn page(
        &mut self,
        target: &ControlTarget,
        record: Option<&Subject>,
        (index, partition, after): (Index, &str, Option<String>),
    ) -> Result<Option<String>, Error> {
        self.pages += 1;
        let ExecutionSearch { until, control, .. } = self.asked;
        let range = SortRange::Between("0".to_owned(), items::sortable(*until));
        let query = Query::of_index(items::execution::TABLE, index, partition).range(range).limit(PAGE);
        let page = match self.evaluator.tables.query(&query.clone().after(after.clone())).await {
            // The cursor was made by a version that laid items out otherwise.
            Err(TableError::Invalid(_)) if after.is_some() => self.evaluator.tables.query(&query).await?,
            page => page?,
        };
        let (read, _) = self.evaluator.catalog.unreadable().read(&page.items, items::execution::parse);
        let said = &mut self.said.found;
        for execution in read.into_iter().flatten() {
            let is_other = execution.id != self.own && execution.created_at <= *until;
            let is_of = execution.workflow == target.workflow && execution.record.as_ref() == record;
            // One that changed its state meanwhile is found in both.
            let is_new = said.iter().all(|found| found.execution_id != execution.id);
            if is_other && is_of && is_new && has_work(control, &execution) {
                said.push(FoundExecution { workflow: target.workflow.clone(), execution_id: execution.id });
            }
        }
        Ok(page.next)
    }
}

/// Whether a control has something to do with an execution.
fn has_work(control: &Control, execution: &Execution) -> bool {
    let requested = execution.requested.as_ref();
    let is_paused = execution.status == Status::Paused;
    let pauses = matches!(requested, Some(Requested::Pause(_)));
    // A lane follows what it is a part of.
    if execution.region.is_some() {
        return false;
    }
    let is_open = !execution.status.is_ended();
    match control {
        Control::Pause => is_open && !is_paused && requested.is_none(),
        Control::Resume => is_paused || pauses,
        _ => is_open && (requested.is_none() || pauses),
    }
}

/// What an execution is after a control.
fn done(control: &Control) -> &'static str {
    match control {
        Control::Pause => "paused",
        Control::Resume => "resumed",
        _ => "canceled",
    }
}

/// What went wrong inside. It says nothing about the executions that are controlled, and uses up no attempt.
fn failure(error: &Error) -> StepError {
    let is_transient = error.is_transient();
    let when = if is_transient { "now" } else { "until an item is restored" };
    StepError::control_interrupted(format!("executions could not be controlled {when}: {error}"), is_transient)
}
