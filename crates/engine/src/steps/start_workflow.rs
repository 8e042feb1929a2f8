//! `start_workflow`.
//!
//! A visit resolves what it is to start once, and keeps that plan from before the first call on. It starts some in each call,
//! under ids that follow from the visit and their number, so that a call that is made again starts nothing twice. Then it
//! waits, if it is to: each look reads the heads of all children, and the look that finds all of them ended is the join. So
//! nothing is counted: the message of an end is no more than a reason to look. A look follows the begin of the wait at once,
//! for a child may have ended before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Template;
use pawl_definition::step::StartWorkflow;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{After, Listening, NextCall, Perform, StepContext, StepDecision, StepHandler, StepResult, Waits, goal};
use crate::{
    Activity, Address, ChildRecord, ChildSeen, ChildStart, ChildStarts, Context, Execution, Performed, Region, Row,
    StartedChild, Status, StepCode, StepError, StepState, StepStatus, coerce, ids,
};

/// Most executions that one visit starts: its plan and what came of it stand in the head.
const STARTS_MOST: usize = 100;

/// Executions that one call starts: each takes some reads and writes of its own, one after the other.
const STARTS_OF_A_CALL: usize = 25;

/// The state of a start that resumed an execution.
const RESUMED: &str = "resumed";

/// An execution that was resumed is looked at again after half the time that was waited already, within these bounds in seconds.
const LOOK_LEAST_S: i64 = 60;
const LOOK_MOST_S: i64 = 900;

/// The type's tag, by which a head says that the step at its cursor is of this type.
const TAG: &str = "start_workflow";

/// What the step keeps of a visit. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    /// What is still to be started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    starts: Vec<ChildStart>,
    /// What came of those before, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    started: Vec<StartedChild>,
    /// Calls that were made.
    #[serde(default)]
    calls: u32,
    /// Paused executions are to be looked for first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    looks: bool,
    /// It waits for their ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waits: bool,
    /// When the wait ends although they have not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// A child of an execution, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub execution: String,
    /// The part of the workflow that it runs; none of an execution of its own.
    pub region: Option<Region>,
    /// The call that starts it has failed: it may not be there.
    pub is_doubtful: bool,
}

impl StepHandler for StartWorkflow {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let checkpoint = match Checkpoint::of(at.state) {
            Some(checkpoint) => checkpoint,
            None => Checkpoint::begin(self, at)?,
        };
        if checkpoint.starts.is_empty() {
            return Ok(checkpoint.decided(at));
        }
        let activity = checkpoint.call(at);
        let part = (checkpoint.calls > 0).then(|| (checkpoint.calls + 1).to_string());
        Ok(StepDecision::Perform(Perform { activity, checkpoint: json!(checkpoint), part }))
    }

    fn performed(&self, at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        // What came of a call is decided on that alone: the look that follows sees the children.
        let (input, nobody) = (activity.input(), BTreeMap::new());
        let cx = Context { children: &nobody, ..*at.cx };
        let at = &StepContext { cx: &cx, ..*at };
        let mut checkpoint = Checkpoint::of(at.state).unwrap_or_default();
        checkpoint.calls += 1;
        match activity {
            Activity::FindPaused(_) => checkpoint.found_paused(&performed.output),
            Activity::StartWorkflows(_) => checkpoint.was_started(&performed.output),
            // What an edit puts in the place of a step takes no result of it.
            _ => {
                return Ok(After::done(StepResult {
                    input,
                    output: performed.output.clone(),
                    ..StepResult::default()
                }));
            }
        }
        if !checkpoint.starts.is_empty() {
            let output = checkpoint.output(at);
            let note = Some(format!("{} of its executions are still to be started", checkpoint.starts.len()));
            return Ok(After::Perform(Box::new(NextCall { checkpoint: json!(checkpoint), output, note })));
        }
        if checkpoint.waits && !checkpoint.open(at).is_empty() {
            let look = Some(at.cx.now);
            return Ok(After::Wait(Box::new(Waits { input, ..checkpoint.waiting(at, look) })));
        }
        Ok(After::done(StepResult { input, ..checkpoint.ended(at) }))
    }

    fn due(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        match Checkpoint::of(at.state) {
            Some(checkpoint) => Ok(checkpoint.decided(at)),
            None => self.enter(at),
        }
    }

    fn again(&self, at: &StepContext<'_>) -> Result<Option<StepResult>, StepError> {
        let checkpoint = Checkpoint::of(at.state).filter(|checkpoint| checkpoint.starts.is_empty());
        Ok(checkpoint.filter(|checkpoint| checkpoint.is_joined(at)).map(|checkpoint| checkpoint.ended(at)))
    }

    /// A call that is made again starts nothing twice.
    fn only_looks(&self, _checkpoint: &Value) -> bool {
        true
    }
}

impl Checkpoint {
    fn of(state: &StepState) -> Option<Self> {
        if state.checkpoint.is_null() { None } else { Self::deserialize(&state.checkpoint).ok() }
    }

    /// The plan of a visit.
    fn begin(step: &StartWorkflow, at: &StepContext<'_>) -> Result<Self, StepError> {
        let starts = starts(step, at)?;
        let until = if step.wait { goal::timeout(at)? } else { None };
        Ok(Self { starts, looks: step.resume_paused, waits: step.wait, until, ..Self::default() })
    }

    /// All is started: it is done, waits on, or has waited too long.
    fn decided(&self, at: &StepContext<'_>) -> StepDecision {
        if !self.waits || self.is_joined(at) {
            StepDecision::done(self.ended(at))
        } else if self.until.is_some_and(|until| until <= at.cx.now) {
            StepDecision::done(self.timed_out(at))
        } else {
            StepDecision::Wait(Box::new(self.waiting(at, self.next_look(at))))
        }
    }

    /// The next call.
    fn call(&self, at: &StepContext<'_>) -> Activity {
        let of_call = if self.looks { self.starts.len() } else { self.starts.len().min(STARTS_OF_A_CALL) };
        let starts = ChildStarts {
            address: Address::of(&at.step.id),
            visit: at.state.visit,
            began_at: at.state.started_at,
            first: number(self.started.len()),
            starts: self.starts[..of_call].to_vec(),
            waits: self.waits,
        };
        if self.looks { Activity::FindPaused(starts) } else { Activity::StartWorkflows(starts) }
    }

    fn found_paused(&mut self, said: &Value) {
        self.looks = false;
        for (start, found) in self.starts.iter_mut().zip(said.as_array().into_iter().flatten()) {
            start.resume = found.as_str().map(str::to_owned);
        }
    }

    fn was_started(&mut self, said: &Value) {
        let started: Vec<StartedChild> = Vec::deserialize(said).unwrap_or_default();
        self.starts.drain(..started.len().min(self.starts.len()));
        self.started.extend(started);
    }

    /// The executions among those that were started that have not ended, as far as they were looked at.
    fn open(&self, at: &StepContext<'_>) -> Vec<&str> {
        let ids = self.started.iter().filter_map(|child| child.execution_id.as_deref());
        ids.filter(|id| at.cx.children.get(*id).is_none_or(|child| !child.status.is_ended())).collect()
    }

    /// Whether a look finds all of them ended. One that is not there any more has ended long ago.
    fn is_joined(&self, at: &StepContext<'_>) -> bool {
        let ids = self.started.iter().filter_map(|child| child.execution_id.as_deref());
        ids.filter_map(|id| at.cx.children.get(id)).all(|child| child.status.is_ended())
    }

    fn output(&self, at: &StepContext<'_>) -> Value {
        self.started
            .iter()
            .map(|child| shown(child, at.cx.children.get(child.execution_id.as_deref().unwrap_or_default())))
            .collect()
    }

    /// What came of all of them.
    fn ended(&self, at: &StepContext<'_>) -> StepResult {
        let seen = |child: &StartedChild| at.cx.children.get(child.execution_id.as_ref()?);
        let completed = |child: &&StartedChild| seen(child).is_some_and(|seen| seen.status == Status::Completed);
        let (all, done) = (self.started.len(), self.started.iter().filter(completed).count());
        let output = self.output(at);
        if !self.waits || done == all {
            let refused = self.started.iter().filter(|child| child.execution_id.is_none()).count();
            let note = (refused > 0).then(|| format!("{refused} of {all} starts were refused"));
            return StepResult { output, note, ..StepResult::default() };
        }
        let note = format!("{done} of {all} executions completed");
        let error = (done == 0).then(|| StepError::new(StepCode::ChildFailed, self.why(at)));
        StepResult { status: StepStatus::Partial, output, note: Some(note), error, ..StepResult::default() }
    }

    /// Why none completed: the first of them says it.
    fn why(&self, at: &StepContext<'_>) -> String {
        let told = |child: &StartedChild| {
            let Some(id) = &child.execution_id else {
                let why = child.error["message"].as_str().unwrap_or_default();
                return format!("the start of {} was refused: {why}", child.workflow);
            };
            let of = format!("execution {id} of {}", child.workflow);
            match at.cx.children.get(id) {
                Some(ChildSeen { error: Some(error), .. }) => format!("{of} failed: {}", error.message),
                Some(seen) => format!("{of} was {}", seen.status),
                None => format!("{of} is not there any more"),
            }
        };
        let first = self.started.first().map(told).unwrap_or_default();
        match self.started.len() {
            1 => first,
            all => format!("none of {all} executions completed; {first}"),
        }
    }

    /// When the children are looked at although none has told of its end: at the time-out, and if executions were resumed from
    /// time to time, for they have no parent to tell.
    fn next_look(&self, at: &StepContext<'_>) -> Option<Timestamp> {
        if self.started.iter().all(|child| child.status != RESUMED) {
            return self.until;
        }
        let waited = at.cx.now.duration_since(at.state.started_at).as_secs();
        let look = at.cx.now + SignedDuration::from_secs((waited / 2).clamp(LOOK_LEAST_S, LOOK_MOST_S));
        Some(self.until.map_or(look, |until| until.min(look)))
    }

    fn timed_out(&self, at: &StepContext<'_>) -> StepResult {
        let until = self.until.map_or_else(String::new, |until| format!(" {until}"));
        let open = self.open(at).len();
        let message = format!("the time-out{until} passed, and {open} of {} executions go on", self.started.len());
        let error = Some(StepError::new(StepCode::ChildTimeout, message));
        StepResult { output: self.output(at), error, ..StepResult::default() }
    }

    /// Waits for the end of a child, or until a time.
    fn waiting(&self, at: &StepContext<'_>, until: Option<Timestamp>) -> Waits {
        let note = Some(format!("waits for {} executions", self.open(at).len()));
        let listening = Listening { topics: BTreeSet::new(), checks: Vec::new() };
        let waits = Waits::signal(until, listening, Value::Null);
        Waits { due: self.until, note, checkpoint: json!(self), output: self.output(at), ..waits }
    }
}

/// A child in the step's output.
fn shown(child: &StartedChild, seen: Option<&ChildSeen>) -> Value {
    let StartedChild { workflow, execution_id, status, error } = child;
    let Some(seen) = seen.filter(|seen| seen.status.is_ended()) else {
        return json!({"workflow": workflow, "execution_id": execution_id, "status": status, "output": null, "error": error});
    };
    let failure = seen.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    json!({
        "workflow": workflow, "execution_id": execution_id, "status": seen.status, "output": seen.output,
        "error": failure,
    })
}

/// Each workflow on each record.
fn starts(step: &StartWorkflow, at: &StepContext<'_>) -> Result<Vec<ChildStart>, StepError> {
    let records = records(step.on.as_ref(), at)?;
    let own = at.execution.record.clone().filter(|_| step.runs_on_own_record());
    let mut starts = Vec::new();
    for (workflow, templates) in step.each() {
        let values = values(templates, at)?;
        for record in &records {
            let own = own.clone();
            starts.push(ChildStart {
                workflow: workflow.to_owned(),
                record: record.clone(),
                own,
                values: values.clone(),
                resume: None,
            });
        }
    }
    if starts.len() > STARTS_MOST {
        let message = format!("expected at most {STARTS_MOST} executions to start, found {}", starts.len());
        return Err(StepError::new(StepCode::TooManyStarts, message));
    }
    Ok(starts)
}

fn values(templates: &BTreeMap<String, Template>, at: &StepContext<'_>) -> Result<Map<String, Value>, StepError> {
    let scope = at.scope();
    let one = |(name, template): (&String, &Template)| {
        let value = template.resolve(&scope).map_err(|error| StepError::from(error).at(&format!("values.{name}")));
        value.map(|value| (name.clone(), value))
    };
    templates.iter().map(one).collect()
}

/// The records that `on` names: one that is none stands for no record, or for this execution's.
pub(super) fn records(on: Option<&Template>, at: &StepContext<'_>) -> Result<Vec<Option<ChildRecord>>, StepError> {
    let Some(on) = on.filter(|on| on.literal().is_none()) else { return Ok(vec![None]) };
    let value = on.resolve(&at.scope()).map_err(|error| StepError::from(error).at("on"))?;
    match &value {
        Value::Null => Ok(Vec::new()),
        Value::Array(each) => each.iter().map(|one| record(one).map(Some)).collect(),
        one => Ok(vec![Some(record(one)?)]),
    }
}

fn record(value: &Value) -> Result<ChildRecord, StepError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let id = value.as_str().map(str::to_owned).or_else(|| text("id"));
    let expected = || {
        let found = coerce::short(value);
        StepError::new(StepCode::WrongType, format!("`on`: expected a record or its id, found {found}"))
    };
    Ok(ChildRecord { object: text("object"), id: id.ok_or_else(expected)? })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a visit starts few executions")
}

/// The executions that an execution waits for: those that the step at its cursor has started, and those that a call in
/// progress may have started.
pub(super) fn awaited(execution: &Execution) -> Vec<String> {
    let Some(step) = execution.cursor.as_deref().filter(|_| execution.entered.as_deref() == Some(TAG)) else {
        return Vec::new();
    };
    let Some(state) = execution.steps.get(step) else { return Vec::new() };
    let Some(checkpoint) = Checkpoint::of(state).filter(|checkpoint| checkpoint.waits) else { return Vec::new() };
    let first = checkpoint.started.len();
    let started = checkpoint.started.iter().filter_map(|child| child.execution_id.clone());
    let asked = checkpoint.starts.iter().enumerate().map(|(at, start)| {
        let event = ids::child_event_id(&execution.id, step, state.visit, number(first + at));
        start.resume.clone().unwrap_or_else(|| ids::execution_id(&event, &start.workflow))
    });
    started.chain(asked).collect()
}

/// The executions that a row says were started.
pub(super) fn listed(row: &Row) -> Vec<Listed> {
    let is_ours = row.step_type.as_deref() == Some(TAG);
    let entries = row.output.as_array().filter(|_| is_ours).into_iter().flatten();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let listed = |entry| Some(Listed { execution: text(entry, "execution_id")?, region: None, is_doubtful: false });
    entries.filter_map(listed).collect()
}

impl ChildStarts {
    /// Its input for history.
    pub fn input(&self) -> Value {
        let shown = |start: &ChildStart| {
            let own = start.own.as_ref().map(|record| json!({"object": record.object, "id": record.id}));
            json!({"workflow": start.workflow, "record": start.record.as_ref().map_or(json!(own), |record| json!(record)), "values": start.values})
        };
        json!({"workflows": self.starts.iter().map(shown).collect::<Vec<_>>()})
    }
}

/// Seconds after which a start is tried again that storage or a queue failed.
const INTERRUPTED_S: u64 = 2;

/// Seconds after which a start is tried again for which an item has to be restored.
const FAILED_S: u64 = 300;

impl StepError {
    /// Starting was interrupted by a failure that goes away by itself.
    pub fn start_interrupted(message: impl Into<String>) -> Self {
        Self { retry_after_s: Some(INTERRUPTED_S), ..Self::new(StepCode::StartInterrupted, message) }
    }

    /// Starting needs something that a person has to restore.
    pub fn start_failed(message: impl Into<String>) -> Self {
        Self { retry_after_s: Some(FAILED_S), ..Self::new(StepCode::StartFailed, message) }
    }
}
