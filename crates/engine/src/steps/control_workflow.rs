//! `control_workflow`: pauses, resumes or cancels executions of workflows.
//!
//! A visit resolves once whose executions it means. Then it looks for them and controls them by turns, a bounded number in each
//! call. What a search finds is kept before anything is done to it, and the control has an id that follows from the visit; an
//! execution keeps the ids of the controls that steps made of late. So a call that is made again controls nothing twice, also
//! if a person has resumed an execution since that the first call had paused, and tells the same.

use pawl_definition::step::{ControlDo, ControlWorkflow, RunsOn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::start_workflow::records;
use super::{After, NextCall, Perform, StepContext, StepDecision, StepHandler, StepResult};
use crate::{
    Activity, ChildRecord, Control, ControlTarget, ControlledExecution, ExecutionControls, ExecutionSearch,
    FoundExecution, Performed, Row, SearchedExecutions, StepCode, StepError, StepState, ids,
};

/// Most pairs of a workflow and a record in one visit: each is a search.
const TARGETS_MOST: usize = 100;

/// Most executions that one visit controls: what came of each stands in the head.
const CONTROLLED_MOST: usize = 1_000;

/// Seconds after which executions are controlled again that storage or a queue was in the way of.
const INTERRUPTED_S: u64 = 2;

/// Seconds after which they are controlled again if an item has to be restored first.
const FAILED_S: u64 = 300;

/// The type's tag, by which a row says that it is of a step of this type.
const TAG: &str = "control_workflow";

/// What the step keeps of a visit. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    /// Whose executions are still to be looked for.
    targets: Vec<ControlTarget>,
    /// Where the search for those of the first goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// What the last search found, and is still to be controlled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    found: Vec<FoundExecution>,
    /// Why, for their history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What came of those before, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    controlled: Vec<ControlledExecution>,
    /// Calls that were made.
    #[serde(default)]
    calls: u32,
}

impl StepHandler for ControlWorkflow {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let checkpoint = match Checkpoint::of(at.state) {
            Some(checkpoint) => checkpoint,
            None => Checkpoint::begin(self, at)?,
        };
        let Some(activity) = checkpoint.call(self, at) else { return Ok(StepDecision::done(checkpoint.ended())) };
        let part = (checkpoint.calls > 0).then(|| (checkpoint.calls + 1).to_string());
        Ok(StepDecision::Perform(Perform { activity, checkpoint: json!(checkpoint), part }))
    }

    fn performed(&self, at: &StepContext<'_>, activity: &Activity, performed: &Performed) -> Result<After, StepError> {
        let (input, output) = (activity.input(), performed.output.clone());
        let mut checkpoint = Checkpoint::of(at.state).unwrap_or_default();
        checkpoint.calls += 1;
        match activity {
            Activity::FindExecutions(_) => checkpoint.searched(&output),
            Activity::ControlExecutions(_) => checkpoint.were_controlled(&output),
            // What an edit puts in the place of a step takes no result of it.
            _ => return Ok(After::done(StepResult { input, output, ..StepResult::default() })),
        }
        if checkpoint.controlled.len() + checkpoint.found.len() > CONTROLLED_MOST {
            let word = self.r#do.word();
            let message = format!("expected at most {CONTROLLED_MOST} executions to {word}, and found more");
            return Err(StepError::new(StepCode::TooManyControls, message));
        }
        if checkpoint.call(self, at).is_none() {
            return Ok(After::done(StepResult { input, ..checkpoint.ended() }));
        }
        let found = checkpoint.found.len();
        let note = (found > 0).then(|| format!("{found} executions are found"));
        Ok(After::Perform(Box::new(NextCall { checkpoint: json!(checkpoint), output, note })))
    }

    /// A call that is made again controls nothing twice.
    fn only_looks(&self, _checkpoint: &Value) -> bool {
        true
    }
}

fn control(what: ControlDo) -> Control {
    match what {
        ControlDo::Pause => Control::Pause,
        ControlDo::Resume => Control::Resume,
        ControlDo::Cancel => Control::Cancel,
    }
}

impl Checkpoint {
    fn of(state: &StepState) -> Option<Self> {
        if state.checkpoint.is_null() { None } else { Self::deserialize(&state.checkpoint).ok() }
    }

    /// The plan of a visit.
    fn begin(step: &ControlWorkflow, at: &StepContext<'_>) -> Result<Self, StepError> {
        let reason = step.reason.as_ref().map(|reason| reason.resolve_text(&at.scope())).transpose();
        let reason = reason.map_err(|error| StepError::from(error).at("reason"))?;
        Ok(Self { targets: targets(step, at)?, reason, ..Self::default() })
    }

    /// The next call; none if all is done.
    fn call(&self, step: &ControlWorkflow, at: &StepContext<'_>) -> Option<Activity> {
        let control = control(step.r#do);
        if !self.found.is_empty() {
            let id = ids::step_control_id(&at.execution.id, &at.step.id, at.state.visit);
            let (reason, executions) = (self.reason.clone(), self.found.clone());
            return Some(Activity::ControlExecutions(ExecutionControls { id, control, reason, executions }));
        }
        let (until, targets, after) = (at.state.started_at, self.targets.clone(), self.after.clone());
        let search = ExecutionSearch { control, until, targets, after };
        (!self.targets.is_empty()).then_some(Activity::FindExecutions(search))
    }

    fn searched(&mut self, output: &Value) {
        let SearchedExecutions { found, refused, finished, after } =
            SearchedExecutions::deserialize(output).unwrap_or_default();
        self.targets.drain(..finished.min(self.targets.len()));
        self.after = after;
        // One that changed its state meanwhile is found in both.
        let is_known = |one: &FoundExecution| {
            self.controlled.iter().any(|known| known.execution_id.as_ref() == Some(&one.execution_id))
        };
        self.found = found.into_iter().filter(|one| !is_known(one)).collect();
        self.controlled.extend(refused);
    }

    fn were_controlled(&mut self, output: &Value) {
        self.found.clear();
        self.controlled.extend(Vec::<ControlledExecution>::deserialize(output).unwrap_or_default());
    }

    /// What came of all of them.
    fn ended(&self) -> StepResult {
        let refused = self.controlled.iter().filter(|one| !one.error.is_null()).count();
        let all = self.controlled.len();
        let note = (refused > 0).then(|| format!("{refused} of {all} controls were refused"));
        StepResult { output: json!(self.controlled), note, ..StepResult::default() }
    }
}

/// Each workflow on each record.
fn targets(step: &ControlWorkflow, at: &StepContext<'_>) -> Result<Vec<ControlTarget>, StepError> {
    let records = match step.runs_on(at.cx.plan.workflow.object.is_none()) {
        RunsOn::None => vec![None],
        RunsOn::Given => records(step.on.as_ref(), at)?,
        RunsOn::Own => at.execution.record.iter().map(|own| Some(ChildRecord::of(own))).collect(),
    };
    let of = |workflow: &String| {
        let workflow = workflow.clone();
        records.iter().map(move |record| ControlTarget { workflow: workflow.clone(), record: record.clone() })
    };
    let targets: Vec<_> = step.workflows.iter().flat_map(of).collect();
    if targets.len() > TARGETS_MOST {
        let found = targets.len();
        let message = format!("expected at most {TARGETS_MOST} pairs of a workflow and a record, found {found}");
        return Err(StepError::new(StepCode::TooManyControls, message));
    }
    Ok(targets)
}

impl ExecutionSearch {
    /// Its input for history.
    pub fn input(&self) -> Value {
        json!({"do": self.control.word(), "executions_of": self.targets})
    }
}

impl ExecutionControls {
    /// Its input for history.
    pub fn input(&self) -> Value {
        json!({"do": self.control.word(), "reason": self.reason, "executions": self.executions})
    }
}

/// The executions that a row says were controlled, each with the id of the control.
pub fn controls_of_row(execution: &str, row: &Row) -> Vec<(String, String)> {
    let (Some(step), Some(visit)) = (&row.step, row.visit) else { return Vec::new() };
    let is_ours = row.step_type.as_deref() == Some(TAG);
    let entries = row.output.as_array().filter(|_| is_ours).into_iter().flatten();
    let controlled = entries.filter_map(|entry| ControlledExecution::deserialize(entry).ok());
    let of = |one: ControlledExecution| one.execution_id.filter(|_| one.error.is_null());
    let id = ids::step_control_id(execution, step, visit);
    controlled.filter_map(of).map(|controlled| (controlled, id.clone())).collect()
}

impl StepError {
    /// Controlling executions was interrupted by a failure that goes away by itself, or when a person has restored
    /// something.
    pub fn control_interrupted(message: impl Into<String>, is_transient: bool) -> Self {
        let wait = if is_transient { INTERRUPTED_S } else { FAILED_S };
        Self { retry_after_s: Some(wait), ..Self::new(StepCode::ControlInterrupted, message) }
    }
}
