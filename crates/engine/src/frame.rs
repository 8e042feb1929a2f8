//! Items of loops that an execution carries out itself, one after the other: a frame of its cursor for each loop that it is in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_definition::Step;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::draft::Draft;
use crate::{Address, Execution, Plan, StepError, StepState, StepStatus};

/// An item that is being carried out. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The loop.
    pub step: String,
    /// The item.
    #[serde(flatten)]
    pub item: Item,
    /// The variables that the item has changed, as they were before it and are again after it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// The variables that were not there before the item.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unset: BTreeSet<String>,
    /// Steps of the list around the loop, without those of items: they are counted on after it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps: u32,
    /// Why the item failed, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// An item of a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its place in the list, from 0.
    pub index: u32,
    /// Its value.
    #[serde(rename = "item", default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

/// The next item of a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct NextItem {
    /// The item.
    pub item: Item,
    /// What the loop keeps of its visit.
    pub checkpoint: Value,
    /// What came of the item before, for history.
    pub output: Value,
    /// What commits with it.
    pub effects: Vec<crate::Effect>,
}

impl Frame {
    fn has_changed(&self, variable: &str) -> bool {
        self.variables.contains_key(variable) || self.unset.contains(variable)
    }
}

impl Execution {
    /// The innermost item that it carries out, or is a part of.
    pub(crate) fn item(&self) -> Option<&Item> {
        self.frames.last().map(|frame| &frame.item).or(self.item.as_ref())
    }

    /// The frame of a loop, if it carries out an item of it at the moment and of no loop inside.
    pub(crate) fn frame_of(&self, step: &str) -> Option<&Frame> {
        self.frames.last().filter(|frame| frame.step == step)
    }

    /// Whether it carries out items of this loop for another execution.
    pub(crate) fn is_slice_of(&self, step: &str) -> bool {
        self.region.as_ref().is_some_and(|region| region.step == step && region.is_slice())
    }

    /// Whether the end of the present list of steps is not the end of the workflow.
    pub(crate) fn is_inside(&self) -> bool {
        self.region.is_some() || !self.frames.is_empty()
    }

    /// The address of a step with the items that it stands in: `parts[17].tell`.
    pub(crate) fn address(&self, address: &Address) -> Address {
        let frames = self.frames.iter().filter(|frame| frame.step != address.as_str());
        let path: Vec<_> = frames.map(|frame| format!("{}[{}].", frame.step, frame.item.index)).collect();
        address.below(&path.concat())
    }
}

impl Draft<'_> {
    /// Begins an item: its steps have no results yet, and their visits are counted on, so that no id comes twice.
    pub(crate) fn begin_item(mut self, step: &Step, next: NextItem) -> Self {
        self.leave_frame(step);
        self.set_status(StepStatus::Running);
        self.row.input = serde_json::to_value(&next.item).expect("an item is JSON");
        self.row.output = next.output;
        self.effects = next.effects;
        self.forget_steps(step);
        let (variables, unset, steps) = (Map::new(), BTreeSet::new(), self.execution.begin_list());
        self.execution.frames.push(Frame {
            step: step.id.clone(),
            item: next.item,
            variables,
            unset,
            steps,
            error: None,
        });
        let first = step.branches().into_iter().find(|branch| branch.region.is_some());
        let mut draft = match first.and_then(|branch| branch.steps.first()) {
            Some(first) => self.running_at(Some(&first.id)),
            None => self.item_ended(None),
        };
        // The visit of the loop goes on.
        if let Some(state) = draft.execution.steps.get_mut(&step.id) {
            state.checkpoint = next.checkpoint;
        }
        draft
    }

    /// The steps of an item came to their end, or one failed: the loop looks at it.
    pub(crate) fn item_ended(mut self, error: Option<StepError>) -> Self {
        let frame = self.execution.frames.last_mut().expect("an item that ends has a frame");
        frame.error = error;
        let step = frame.step.clone();
        let mut draft = self.running_at(Some(&step));
        draft.execution.entered = draft.cx.plan.step(&step).map(|step| step.kind.tag().to_owned());
        draft
    }

    /// The item of a loop is over: variables are as they were before it.
    pub(crate) fn leave_frame(&mut self, step: &Step) {
        if self.execution.frame_of(&step.id).is_some() {
            self.pop_frame();
            self.forget_steps(step);
        }
    }

    /// Leaves all items: what follows ends more than them.
    fn end_frames(&mut self) {
        while let Some(frame) = self.execution.frames.last() {
            if let Some(state) = self.execution.steps.get_mut(&frame.step) {
                state.status = StepStatus::Canceled;
            }
            self.pop_frame();
        }
    }

    /// The workflow is said to be over, in the middle of items too.
    pub(crate) fn stops_as_completed(mut self, reason: Option<String>) -> Self {
        self.end_frames();
        self.completed(reason)
    }

    /// Leaves the innermost item.
    pub(crate) fn pop_frame(&mut self) {
        if let Some(Frame { variables, unset, steps, .. }) = self.execution.frames.pop() {
            self.execution.resume_list(steps);
            self.execution.variables.retain(|name, _| !unset.contains(name));
            self.execution.variables.extend(variables);
        }
    }

    /// Sets variables; in an item, what they were before is kept for its end.
    pub(crate) fn set_variables(&mut self, values: impl IntoIterator<Item = (String, Value)>) {
        let Execution { variables, frames, .. } = &mut self.execution;
        for (name, value) in values {
            let before = variables.insert(name.clone(), value);
            if let Some(Frame { variables, unset, .. }) = frames.last_mut().filter(|frame| !frame.has_changed(&name)) {
                match before {
                    Some(before) => drop(variables.insert(name, before)),
                    None => drop(unset.insert(name)),
                }
            }
        }
    }

    /// Leaves the items of the loops around which the execution does not stand any more.
    pub(crate) fn leave_frames(&mut self) {
        while let Some(frame) = self.execution.frames.last() {
            let cursor = self.execution.cursor.as_deref();
            let plans = [Some(self.cx.plan), self.cx.former];
            let is_within = |id| plans.iter().flatten().any(|plan| is_within(plan, id, &frame.step));
            if cursor.is_some_and(|id| id == frame.step || is_within(id)) {
                return;
            }
            if let Some(state) = self.execution.steps.get_mut(&frame.step) {
                state.status = StepStatus::Canceled;
                state.checkpoint = Value::Null;
            }
            self.pop_frame();
        }
    }

    /// What the steps of a loop came to is gone; how often each was visited is not.
    fn forget_steps(&mut self, step: &Step) {
        for branch in step.branches().into_iter().filter(|branch| branch.region.is_some()) {
            for_all(branch.steps, &mut |inner| {
                if let Some(StepState { visit, .. }) = self.execution.steps.remove(&inner.id) {
                    self.execution.visits.insert(inner.id.clone(), visit);
                }
            });
        }
    }
}

/// Whether a step stands in a loop.
fn is_within(plan: &Plan, id: &str, of: &str) -> bool {
    let Some(step) = plan.step(of) else { return false };
    let mut is_there = false;
    for branch in step.branches().into_iter().filter(|branch| branch.region.is_some()) {
        for_all(branch.steps, &mut |inner| is_there |= inner.id == id);
    }
    is_there
}

fn for_all<'s>(steps: &'s [Step], each: &mut dyn FnMut(&'s Step)) {
    for step in steps {
        each(step);
        step.branches().into_iter().for_each(|branch| for_all(branch.steps, each));
    }
}

impl StepState {
    /// Of a step that begins its first visit in this place, after so many elsewhere.
    pub(crate) fn new(visits: u32, now: Timestamp) -> Self {
        Self {
            status: StepStatus::Running,
            output: Value::Null,
            error: None,
            visit: visits,
            fresh_visits: 0,
            attempt: 0,
            interrupted: 0,
            started_at: now,
            attempt_started_at: None,
            checkpoint: Value::Null,
            kept: Value::Null,
        }
    }
}
