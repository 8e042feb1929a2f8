//! `start_workflow`: starts executions for a step, one after the other. It reaches nothing outside of Pawl.
//!
//! The event of each start has an id that follows from the visit and the number of the start, and so has its execution. A
//! call that is made again finds what it started or was refused before.

use jiff::Timestamp;
use pawl_engine::{
    Act, Cause, ChildStart, ChildStarts, Control, Event, EventType, Execution, Link, Parent, PauseReason, Performed,
    Plan, StartedBy, StartedChild, Status, StepError, Subject, ids,
};
use serde_json::{Map, Value, json};

use super::lease::LeaseGuard;
use crate::evaluator::Outcome;
use crate::ports::{Consistency, Index, Query};
use crate::{ControlError, Error, Evaluator, items};

/// Pages of an index in which a paused execution is looked for.
const PAGES: usize = 10;

/// Why a start was refused, beside what its guards say.
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Starts them. A failure of infrastructure fails the call; those that were started before it are found by the next one.
pub(super) async fn start(evaluator: &Evaluator, starts: &ChildStarts, lease: LeaseGuard<'_>) -> Performed {
    let mut started = Vec::new();
    for (at, start) in starts.starts.iter().enumerate() {
        if let Err(error) = lease.allows(jiff::SignedDuration::ZERO) {
            return Performed::failed(error);
        }
        let index = starts.first + u32::try_from(at).expect("a call starts few executions");
        match one(evaluator, starts, (index, start), lease).await {
            Ok(child) => started.push(child),
            Err(error) => return Performed::failed(failure(&error)),
        }
    }
    Performed::done(json!(started))
}

/// The paused execution of each workflow on its record, or null.
pub(super) async fn find_paused(evaluator: &Evaluator, starts: &ChildStarts, lease: LeaseGuard<'_>) -> Performed {
    let mut found = Vec::new();
    for start in &starts.starts {
        if let Err(error) = lease.allows(jiff::SignedDuration::ZERO) {
            return Performed::failed(error);
        }
        match paused(evaluator, start).await {
            Ok(execution) => found.push(execution),
            Err(error) => return Performed::failed(failure(&error)),
        }
    }
    Performed::done(json!(found))
}

async fn one(
    evaluator: &Evaluator,
    starts: &ChildStarts,
    (index, start): (u32, &ChildStart),
    lease: LeaseGuard<'_>,
) -> Result<StartedChild, Error> {
    let child = |execution: Option<String>, status: &str, error: Value| StartedChild {
        workflow: start.workflow.clone(),
        execution_id: execution,
        status: status.to_owned(),
        error,
    };
    let refused = |code: &str, message: &str| child(None, "refused", json!({"code": code, "message": message}));
    if let Some(paused) = &start.resume {
        return Ok(match resume(evaluator, paused, lease).await? {
            Ok(()) => child(Some(paused.clone()), "resumed", Value::Null),
            Err(Refused { code, message }) => refused(code, &message),
        });
    }
    let subject = match subject(evaluator, start).await? {
        Ok(subject) => subject,
        Err(Refused { code, message }) => return Ok(refused(code, &message)),
    };
    let event = event(starts, (index, start), subject, lease.execution);
    Ok(match evaluator.start(&start.workflow, &event).await? {
        // A start by a step is not collected with others.
        Outcome::Started(execution) | Outcome::Debounced(execution) => child(Some(execution), "started", Value::Null),
        Outcome::Refused { code, message } => refused(&code, &message),
        Outcome::NoMatch => {
            let Refused { code, message } = unknown(&start.workflow);
            refused(code, &message)
        }
    })
}

/// It happens when the visit begins, so a call that is made again after longer than the workflow keeps executions is refused: what
/// it started before may have ended and expired.
fn event(
    starts: &ChildStarts,
    (index, start): (u32, &ChildStart),
    subject: Option<Subject>,
    execution: &Execution,
) -> Event {
    let by = StartedBy { execution: execution.id.clone(), address: starts.address.clone(), visit: starts.visit };
    let mut data = Map::new();
    data.insert("values".to_owned(), Value::Object(start.values.clone()));
    data.insert("actor".to_owned(), json!(actor(execution)));
    Event {
        id: ids::child_event_id(&by.execution, by.address.as_str(), by.visit, index),
        kind: EventType::Manual,
        workflow: Some(start.workflow.clone()),
        trigger: None,
        subject,
        occurred_at: starts.began_at,
        data,
        creation: None,
        cause: cause(execution),
        parent: Some(Parent { by, index, waits: starts.waits, above: above(execution) }),
        region: None,
        fork: None,
        debug: false,
    }
}

/// Those who wait for the end of the parent.
pub(super) fn above(parent: &Execution) -> Vec<StartedBy> {
    parent.parent.iter().flat_map(Parent::waiting).cloned().collect()
}

/// The parent's causes, and the parent.
pub(super) fn cause(parent: &Execution) -> Cause {
    let (workflow, execution, record) = (parent.workflow.clone(), parent.id.clone(), parent.record.clone());
    parent.cause.then(Link { workflow, execution, record })
}

/// Who starts, resumes and controls for an execution.
pub(crate) fn actor(execution: &Execution) -> String {
    format!("workflow {} ({})", execution.workflow, execution.id)
}

pub(super) fn unknown(workflow: &str) -> Refused {
    Refused { code: "unknown_workflow", message: format!("there is no workflow {workflow:?}") }
}

/// The record that a workflow is to run on; none of a global one.
async fn subject(evaluator: &Evaluator, start: &ChildStart) -> Result<Result<Option<Subject>, Refused>, Error> {
    let Some(plan) = plan(evaluator, &start.workflow).await? else { return Ok(Err(unknown(&start.workflow))) };
    let subject = match wanted(&plan, start) {
        Ok(Some(subject)) => subject,
        other => return Ok(other),
    };
    let key = items::record::key(&subject);
    let is_there = evaluator.tables.get(items::record::TABLE, &key, Consistency::Strong).await?.is_some();
    let missing = || Refused { code: "no_record", message: format!("there is no record {subject}") };
    Ok(if is_there { Ok(Some(subject)) } else { Err(missing()) })
}

pub(super) async fn plan(evaluator: &Evaluator, workflow: &str) -> Result<Option<std::sync::Arc<Plan>>, Error> {
    let Some(head) = evaluator.catalog.head(workflow).await? else { return Ok(None) };
    evaluator.catalog.plan(workflow, head.revision).await.map(Some)
}

/// The record by its object, which the workflow names.
fn wanted(plan: &Plan, start: &ChildStart) -> Result<Option<Subject>, Refused> {
    let Some(object) = &plan.workflow.object else { return Ok(None) };
    let found = match (&start.record, &start.own) {
        (Some(record), _) => Some((record.object.clone().unwrap_or_else(|| object.clone()), record.id.clone())),
        (None, Some(own)) => Some((own.object.clone(), own.id.clone())),
        (None, None) => None,
    };
    let expected = |found: &str| Refused {
        code: "record_not_expected",
        message: format!("expected a record of the object {object:?} to run on, found {found}"),
    };
    match found {
        Some((of, id)) if of == *object => Ok(Some(Subject { object: of, id })),
        Some((of, _)) => Err(expected(&format!("one of {of:?}"))),
        None => Err(expected("none")),
    }
}

/// The newest execution of the workflow on the record that a person or the workflow itself has paused.
async fn paused(evaluator: &Evaluator, start: &ChildStart) -> Result<Option<String>, Error> {
    let Some(plan) = plan(evaluator, &start.workflow).await? else { return Ok(None) };
    let Ok(subject) = wanted(&plan, start) else { return Ok(None) };
    let (index, partition) = match &subject {
        Some(record) => (Index::Gsi2, items::execution::of_record(record)),
        None => (Index::Gsi3, items::execution::of_status(Status::Paused)),
    };
    let fits = |execution: &Execution| {
        let waits = |reason| matches!(reason, PauseReason::Person | PauseReason::Workflow);
        let may = execution.pause.as_ref().is_some_and(|pause| waits(pause.reason));
        let is_whole = execution.region.is_none() && execution.workflow == start.workflow;
        is_whole && execution.record == subject && may
    };
    let mut query = Query::of_index(items::execution::TABLE, index, partition).newest_first();
    for _ in 0..PAGES {
        let page = evaluator.tables.query(&query).await?;
        let (read, _) = evaluator.catalog.unreadable().read(&page.items, items::execution::parse);
        if let Some(execution) = read.into_iter().flatten().find(|execution| fits(execution)) {
            return Ok(Some(execution.id));
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    Ok(None)
}

/// Resumes a paused execution. One that goes on already was resumed, perhaps by a call whose answer was lost.
async fn resume(evaluator: &Evaluator, paused: &str, lease: LeaseGuard<'_>) -> Result<Result<(), Refused>, Error> {
    let at: Timestamp = lease.clock.now();
    let act = Act { actor: actor(lease.execution), reason: None, at, id: None };
    match evaluator.transitions.control(paused, &Control::Resume, &act).await {
        Ok(_) => Ok(Ok(())),
        Err(ControlError::Failed(error)) => Err(error),
        Err(why @ (ControlError::NotFound(_) | ControlError::Refused(_))) => {
            Ok(Err(Refused { code: "not_resumed", message: why.to_string() }))
        }
    }
}

/// What went wrong inside. It says nothing about the workflows that are started, and uses up no attempt.
pub(super) fn failure(error: &Error) -> StepError {
    if error.is_transient() {
        return StepError::start_interrupted(format!("executions could not be started now: {error}"));
    }
    StepError::start_failed(format!("executions cannot be started: {error}"))
}
