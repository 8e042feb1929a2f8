//! `branch`: runs its lanes beside each other, each as an execution of that part.
//!
//! All lanes are started by one call, under ids that follow from the visit and the name of the lane, so that a call that is made
//! again starts none twice. Then the step waits: each look reads the heads of all lanes, and the look that finds enough of them
//! ended is the join. When the step is over, lanes that go on have lost whom they run for, and are canceled.

use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::step::{Join, LaneFailed, Lanes, Merge};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{After, Listening, Perform, StepContext, StepDecision, StepHandler, StepResult, Waits};
use crate::{
    Activity, Address, ChildSeen, Context, Execution, Performed, Region, RegionStart, RegionStarts, Row, Status,
    StepCode, StepError, StepState, StepStatus, ids, shares,
};

/// The type's tag, by which a head says that the step at its cursor is of this type.
const TAG: &str = "branch";

/// What the step keeps of a visit. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Checkpoint {
    /// The execution of each lane.
    lanes: BTreeMap<String, String>,
    /// Most steps of each of them.
    #[serde(default)]
    steps_most: u32,
    /// They are started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    started: bool,
}

/// A lane as a look finds it.
#[derive(Debug, Clone, Copy)]
struct Lane<'a> {
    name: &'a str,
    /// None of an execution that is not there any more.
    seen: Option<&'a ChildSeen>,
}

impl StepHandler for Lanes {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        match Checkpoint::of(at.state) {
            Some(checkpoint) if checkpoint.started => Ok(checkpoint.decided(self, at)),
            kept => {
                let checkpoint = kept.unwrap_or_else(|| Checkpoint::begin(self, at));
                let activity = Activity::StartRegions(checkpoint.starts(at));
                Ok(StepDecision::Perform(Perform { activity, checkpoint: json!(checkpoint), part: None }))
            }
        }
    }

    fn performed(&self, at: &StepContext<'_>, activity: &Activity, _: &Performed) -> Result<After, StepError> {
        // What came of the call is decided on that alone: the look that follows sees the lanes.
        let nobody = BTreeMap::new();
        let cx = Context { children: &nobody, ..*at.cx };
        let at = &StepContext { cx: &cx, ..*at };
        let checkpoint = Checkpoint { started: true, ..Checkpoint::of(at.state).unwrap_or_default() };
        Ok(After::Wait(Box::new(Waits { input: activity.input(), ..checkpoint.waiting(at, Some(at.cx.now)) })))
    }

    fn due(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        self.enter(at)
    }

    fn again(&self, at: &StepContext<'_>) -> Result<Option<StepResult>, StepError> {
        let checkpoint = Checkpoint::of(at.state).filter(|checkpoint| checkpoint.started);
        Ok(checkpoint.and_then(|checkpoint| checkpoint.joined(self, at)))
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

    /// Every lane with the id of its execution.
    fn begin(step: &Lanes, at: &StepContext<'_>) -> Self {
        let id = |name: &String| {
            let address = Address::of(&at.step.id).part(name);
            let event = ids::child_event_id(&at.execution.id, address.as_str(), at.state.visit, 0);
            ids::execution_id(&event, &at.execution.workflow)
        };
        let lanes: BTreeMap<_, _> = step.lanes.keys().map(|name| (name.clone(), id(name))).collect();
        let steps_most = shares::share(at.cx, at.execution, lanes.len(), 0);
        Self { lanes, steps_most, started: false }
    }

    fn starts(&self, at: &StepContext<'_>) -> RegionStarts {
        let region = |name: &String| Region { step: at.step.id.clone(), name: name.clone() };
        let start = |name: &String| RegionStart::of(at.cx, at.execution, region(name), self.steps_most);
        RegionStarts {
            address: Address::of(&at.step.id),
            visit: at.state.visit,
            began_at: at.state.started_at,
            starts: self.lanes.iter().map(|(name, id)| (id.clone(), start(name))).collect(),
        }
    }

    fn decided(&self, step: &Lanes, at: &StepContext<'_>) -> StepDecision {
        match self.joined(step, at) {
            Some(result) => StepDecision::done(result),
            None => StepDecision::Wait(Box::new(self.waiting(at, None))),
        }
    }

    fn waiting(&self, at: &StepContext<'_>, look: Option<jiff::Timestamp>) -> Waits {
        let listening = Listening { topics: BTreeSet::new(), checks: Vec::new() };
        // One that was not looked at yet has just begun.
        let ended = |lane: &&Lane<'_>| lane.seen.is_some_and(|seen| seen.status.is_ended());
        let open = self.lanes.len() - self.seen(at).iter().filter(ended).count();
        let note = Some(format!("waits for {open} of {} lanes", self.lanes.len()));
        let output = self.output(at);
        Waits { due: None, note, checkpoint: json!(self), output, ..Waits::signal(look, listening, Value::Null) }
    }

    fn seen<'a>(&'a self, at: &'a StepContext<'_>) -> Vec<Lane<'a>> {
        self.lanes.iter().map(|(name, id)| Lane { name, seen: at.cx.children.get(id) }).collect()
    }

    fn output(&self, at: &StepContext<'_>) -> Value {
        let shown: Map<_, _> =
            self.lanes.iter().map(|(name, id)| (name.clone(), shown(at.cx.children.get(id)))).collect();
        Value::Object(shown)
    }

    /// What came of the lanes, if enough of them have ended.
    fn joined(&self, step: &Lanes, at: &StepContext<'_>) -> Option<StepResult> {
        let lanes = self.seen(at);
        let result = StepResult { output: self.output(at), ..StepResult::default() };
        if let Some(stopped) = lanes.iter().filter_map(|lane| lane.seen).find(|seen| seen.stops) {
            let (status, reason) = (stopped.status, stopped.reason.clone());
            return Some(StepResult { note: reason.clone(), end: Some((status, reason)), ..result });
        }
        let completed: Vec<_> = lanes.iter().filter(|lane| lane.has_completed()).collect();
        if step.join == Join::Any
            && let Some(first) = completed.iter().min_by_key(|lane| lane.ended_at())
        {
            let variables = first.variables();
            let note = Some(format!("the lane {} came first", first.name));
            return Some(StepResult {
                variables,
                note,
                output: first_output(result.output.clone(), first.name),
                ..result
            });
        }
        let lost: Vec<_> = lanes.iter().filter(|lane| lane.has_ended() && !lane.has_completed()).collect();
        let all_ended = lanes.iter().all(Lane::has_ended);
        let fails = (step.lane_failed == LaneFailed::Stop || completed.is_empty() && all_ended) && !lost.is_empty();
        if fails {
            let error = StepError::new(StepCode::LaneFailed, why(&lost, lanes.len()));
            return Some(StepResult { error: Some(error), ..result });
        }
        if !all_ended {
            return None;
        }
        let status = if lost.is_empty() { StepStatus::Completed } else { StepStatus::Partial };
        let note = (!lost.is_empty()).then(|| why(&lost, lanes.len()));
        let variables = merged(step, at.execution, &completed);
        Some(StepResult { status, variables, note, ..result })
    }
}

impl Lane<'_> {
    fn has_ended(&self) -> bool {
        self.seen.is_none_or(|seen| seen.status.is_ended())
    }

    fn has_completed(&self) -> bool {
        self.seen.is_some_and(|seen| seen.status == Status::Completed)
    }

    fn ended_at(&self) -> Option<jiff::Timestamp> {
        self.seen.and_then(|seen| seen.ended_at)
    }

    fn variables(&self) -> Map<String, Value> {
        self.seen.map(|seen| seen.variables.clone()).unwrap_or_default()
    }
}

/// A lane in the step's output.
fn shown(seen: Option<&ChildSeen>) -> Value {
    let Some(seen) = seen else { return json!({"status": Status::Queued, "output": null, "error": null}) };
    let error = seen.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    json!({"status": seen.status, "output": seen.output, "error": error})
}

/// The output once one lane came first: the others are canceled.
fn first_output(mut output: Value, first: &str) -> Value {
    for (name, lane) in output.as_object_mut().into_iter().flatten() {
        let is_open = serde_json::from_value(lane["status"].clone()).is_ok_and(|status: Status| !status.is_ended());
        if name != first && is_open {
            *lane = json!({"status": Status::Canceled, "output": null, "error": null});
        }
    }
    output
}

/// Why lanes did not complete.
fn why(lost: &[&Lane<'_>], all: usize) -> String {
    let told = |lane: &&Lane<'_>| match lane.seen {
        Some(ChildSeen { error: Some(error), .. }) => format!("the lane {} failed: {}", lane.name, error.message),
        Some(ChildSeen { status, .. }) => format!("the lane {} was {status}", lane.name),
        None => format!("the execution of the lane {} is not there any more", lane.name),
    };
    let first = lost.first().map(told).unwrap_or_default();
    match lost.len() {
        0 | 1 => first,
        many => format!("{many} of {all} lanes did not complete; {first}"),
    }
}

/// The variables that lanes set, together.
fn merged(step: &Lanes, before: &Execution, completed: &[&Lane<'_>]) -> Map<String, Value> {
    let mut merged = Map::new();
    let mut in_order = completed.to_vec();
    in_order.sort_by_key(|lane| lane.ended_at());
    for lane in &in_order {
        merged.extend(lane.variables());
    }
    for (name, merge) in &step.merge {
        let given = || completed.iter().filter_map(|lane| lane.seen?.variables.get(name));
        if *merge == Merge::Append && given().next().is_some() {
            merged.insert(name.clone(), appended(before.variables.get(name), given()));
        }
    }
    merged
}

/// A list: what it was, and what each lane added.
fn appended<'v>(before: Option<&Value>, given: impl Iterator<Item = &'v Value>) -> Value {
    let mut all = match before {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(elements)) => elements.clone(),
        Some(one) => vec![one.clone()],
    };
    let began = all.clone();
    for value in given {
        match value {
            Value::Array(elements) => all.extend(elements.strip_prefix(&*began).unwrap_or(elements).iter().cloned()),
            Value::Null => {}
            one => all.push(one.clone()),
        }
    }
    Value::Array(all)
}

/// The executions of the lanes that an execution waits for, or is starting. It follows from the head alone.
pub(super) fn awaited(execution: &Execution) -> Vec<String> {
    let checkpoint = at_cursor(execution);
    checkpoint.into_iter().flat_map(|checkpoint| checkpoint.lanes.into_values()).collect()
}

/// The same, each with the most steps that it may carry out.
pub(super) fn parts(execution: &Execution) -> BTreeMap<String, u32> {
    let Some(Checkpoint { lanes, steps_most, .. }) = at_cursor(execution) else { return BTreeMap::new() };
    lanes.into_values().map(|id| (id, steps_most)).collect()
}

/// What is kept of a visit that has not ended.
fn at_cursor(execution: &Execution) -> Option<Checkpoint> {
    let step = execution.cursor.as_deref().filter(|_| execution.entered.as_deref() == Some(TAG))?;
    execution.steps.get(step).and_then(Checkpoint::of)
}

/// The executions of lanes of which a row tells, each with its part.
pub(super) fn listed(row: &Row) -> Vec<(String, Region)> {
    let is_ours = row.step_type.as_deref() == Some(TAG);
    let lanes = row.input.get("lanes").and_then(Value::as_object).filter(|_| is_ours).into_iter().flatten();
    let region = |name: &String| Region { step: row.step.clone().unwrap_or_default(), name: name.clone() };
    lanes.filter_map(|(name, id)| Some((id.as_str()?.to_owned(), region(name)))).collect()
}

/// The input of a call that starts lanes, for history.
pub(super) fn input(starts: &RegionStarts) -> Value {
    let lanes: Map<_, _> = starts.starts.iter().map(|(id, start)| (start.region.name.clone(), json!(id))).collect();
    json!({"lanes": lanes})
}
