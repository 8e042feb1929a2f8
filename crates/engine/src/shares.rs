//! How many steps a list of steps and a tree of executions may carry out, and how a tree divides them.
//!
//! A step that runs parts beside each other divides among them what is left of `limits.tree_steps`, and keeps one step for
//! itself. A part never passes its share, so nobody has to look at others before a step: the sum holds at the root. What a part
//! took is added once it has ended, and what it left is there again.
//!
//! A part may go on for a moment after its step is over, because it learns of that at its next look. Until it has ended, all of
//! its share counts as carried out ([`OpenPart`]).

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_definition::Step;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::draft::Draft;
use crate::{ChildSeen, Context, Decision, Execution, RowKind, StepCode, StepError, Usage, steps};

/// A part that goes on although its step is over. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPart {
    /// Most steps that it may carry out.
    pub steps: u32,
    /// When its step was over.
    pub since: Timestamp,
}

/// What an execution knows of its parts beside what it waits for. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// Those that go on although the step is over which they belong to, by their id: their steps are not counted yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<String, OpenPart>,
    /// What models cost those that have ended.
    #[serde(default, skip_serializing_if = "Usage::is_zero")]
    pub usage: Usage,
}

impl Parts {
    /// Whether nothing is known.
    pub fn is_none(&self) -> bool {
        self.open.is_empty() && self.usage.is_zero()
    }
}

impl Execution {
    /// Steps that it carried out in its present list of steps.
    fn steps_in_list(&self) -> u32 {
        self.steps_done.saturating_sub(self.steps_elsewhere)
    }

    /// Begins to count a list of steps; returns the count of the list around it.
    pub(crate) fn begin_list(&mut self) -> u32 {
        let around = self.steps_in_list();
        self.steps_elsewhere = self.steps_done;
        around
    }

    /// Goes on with the count of the list around the one that is over.
    pub(crate) fn resume_list(&mut self, around: u32) {
        self.steps_elsewhere = self.steps_done.saturating_sub(around);
    }

    /// Steps that count against the limit of its tree.
    fn steps_of_tree(&self) -> u32 {
        self.parts.open.values().fold(self.steps_done, |sum, part| sum.saturating_add(part.steps))
    }

    /// Adds what a part took that has ended.
    fn takes(&mut self, seen: &ChildSeen) {
        self.steps_done = self.steps_done.saturating_add(seen.steps);
        self.steps_elsewhere = self.steps_elsewhere.saturating_add(seen.steps);
        self.usage = self.usage.plus(seen.usage);
        self.parts.usage = self.parts.usage.plus(seen.usage);
        self.failed_steps.extend(seen.failed_steps.iter().cloned());
        self.parts.open.extend(seen.open_parts.iter().map(|(id, part)| (id.clone(), *part)));
    }
}

/// Most steps of an execution with all its parts.
fn most(cx: &Context<'_>) -> u32 {
    cx.event.event.region.as_ref().map_or(cx.plan.workflow.limits.tree_steps, |start| start.steps_most)
}

/// The share of each of some parts that the step at the cursor starts: so many run at once, and those that it has started before
/// and that have not ended may carry out `open` steps together. A step is left for the step itself.
pub(crate) fn share(cx: &Context<'_>, execution: &Execution, at_once: usize, open: u32) -> u32 {
    let left = most(cx).saturating_sub(execution.steps_of_tree()).saturating_sub(open).saturating_sub(1);
    left / u32::try_from(at_once).unwrap_or(u32::MAX).max(1)
}

/// The limit of steps that carrying out another one breaks.
pub(crate) fn over_limit(cx: &Context<'_>, execution: &Execution, step: &Step) -> Option<StepError> {
    // Between two items a loop stands in the list around it.
    let frame = execution.frame_of(&step.id);
    let in_list = frame.map_or_else(|| execution.steps_in_list(), |frame| frame.steps);
    let limits = &cx.plan.workflow.limits;
    if in_list >= limits.steps {
        let message = format!("{} carried out {in_list} steps; `limits.steps` is {}", place(execution), limits.steps);
        return Some(StepError::new(StepCode::StepLimit, message));
    }
    is_tree_over(cx, execution).then(|| StepError::new(StepCode::TreeStepLimit, tree_over(cx, execution)))
}

fn is_tree_over(cx: &Context<'_>, execution: &Execution) -> bool {
    execution.steps_of_tree() >= most(cx)
}

fn tree_over(cx: &Context<'_>, execution: &Execution) -> String {
    let (done, limit) = (execution.steps_done, cx.plan.workflow.limits.tree_steps);
    let open = match execution.steps_of_tree().saturating_sub(done) {
        0 => String::new(),
        open => format!(", and parts that have not ended may carry out {open}"),
    };
    match &execution.region {
        Some(region) => {
            let share = most(cx);
            format!(
                "{region} and all in it carried out {done} steps{open}; its share of `limits.tree_steps` ({limit}) is {share}"
            )
        }
        None => format!("the execution and all in it carried out {done} steps{open}; `limits.tree_steps` is {limit}"),
    }
}

/// The list of steps that an execution is in.
fn place(execution: &Execution) -> String {
    match (execution.frames.last(), &execution.region) {
        (Some(frame), _) => format!("item {} of {}", frame.item.index, frame.step),
        (None, Some(region)) => region.to_string(),
        (None, None) => "the execution".to_owned(),
    }
}

/// What happens before an execution may enter a step whose limit is reached only because parts were not counted that have ended:
/// they are counted first, with a row that says what was seen of them.
pub(crate) fn before_step(cx: &Context<'_>, execution: &Execution) -> Option<Decision> {
    if !is_tree_over(cx, execution) {
        return None;
    }
    let mut draft = Draft::new(cx, execution, RowKind::Limit);
    draft.count_open_parts();
    let back = execution.steps_of_tree().saturating_sub(draft.execution.steps_of_tree());
    draft.row.note = Some(format!("{back} steps of `limits.tree_steps` are left by parts that have ended"));
    (back > 0).then(|| draft.commit())
}

impl Draft<'_> {
    /// The step at the cursor is over, or begins anew: what its parts took is counted. Those that go on have lost whom they run
    /// for, and are told.
    pub(crate) fn leave_parts(&mut self) {
        let mut open = Vec::new();
        for (id, steps) in steps::parts(&self.execution) {
            if let Some(seen) = self.cx.children.get(&id).filter(|seen| seen.status.is_ended()) {
                self.execution.takes(seen);
            } else {
                self.execution.parts.open.insert(id.clone(), OpenPart { steps, since: self.cx.now });
                open.push(id);
            }
        }
        self.tell(open);
    }

    /// The step at the cursor keeps this of its visit. Of the parts that it knows no more, what they took is counted.
    pub(crate) fn keep_checkpoint(&mut self, checkpoint: Value) {
        let before = steps::parts(&self.execution);
        self.state_mut().checkpoint = checkpoint;
        let after = steps::parts(&self.execution);
        for id in before.keys().filter(|id| !after.contains_key(*id)) {
            if let Some(seen) = self.cx.children.get(id) {
                self.execution.takes(seen);
            }
        }
    }

    /// Counts the parts that have ended since their step was over.
    pub(crate) fn count_open_parts(&mut self) {
        let ended = |id: &String| self.cx.children.get(id).filter(|seen| seen.status.is_ended());
        let ended: Vec<_> = self.execution.parts.open.keys().filter_map(|id| Some((id.clone(), ended(id)?))).collect();
        for (id, seen) in ended {
            self.execution.parts.open.remove(&id);
            self.execution.takes(seen);
        }
    }
}
