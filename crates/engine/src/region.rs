//! Parts of a workflow with an end of their own, which an execution runs for another one: lanes.
//!
//! An execution that runs a part is a child of the one that it belongs to, of the same workflow, on the same record and for the
//! same event. It begins with what that one has: its variables, and what its steps came to as far as the part reads it. It ends
//! where its part ends.

use std::collections::BTreeMap;

use pawl_definition::Step;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Context, Execution, Item, Plan, StepState, Usage};

/// A part of a workflow. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Region {
    /// The step that it belongs to.
    pub step: String,
    /// Its name below that step: the lane.
    pub name: String,
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.step, self.name)
    }
}

/// What an execution of a part begins with. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegionStart {
    /// The part.
    #[serde(flatten)]
    pub region: Region,
    /// Id of the event that began the execution which it is a part of.
    pub event: String,
    /// Variables.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// What steps before it came to that it reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, StepState>,
    /// The item of a loop that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Most steps that it may carry out with its own parts: its share of `limits.tree_steps`.
    #[serde(default)]
    pub steps_most: u32,
    /// What the calls of the root of the tree had cost, for `limits.budget`: the calls of parts are counted by themselves.
    #[serde(default, skip_serializing_if = "Usage::is_zero")]
    pub usage: Usage,
}

impl RegionStart {
    /// What a part of an execution begins with, as that one stands. It may carry out so many steps.
    pub(crate) fn of(cx: &Context<'_>, execution: &Execution, region: Region, steps_most: u32) -> Self {
        let read = cx.plan.steps_of(&region).map(steps_read).unwrap_or_default();
        let is_read = |id: &String| read.contains(&id.as_str()) || read.contains(&"");
        let steps = execution.steps.iter().filter(|(id, _)| is_read(id) && **id != region.step);
        let ended = |state: &StepState| StepState { checkpoint: Value::Null, ..state.clone() };
        Self {
            steps: steps.map(|(id, state)| (id.clone(), ended(state))).collect(),
            event: cx.event.event.whole().to_owned(),
            variables: execution.variables.clone(),
            item: execution.item().cloned(),
            steps_most,
            usage: match &cx.event.event.region {
                Some(start) => start.usage,
                None => execution.usage.since(execution.parts.usage),
            },
            region,
        }
    }
}

impl RegionStart {
    /// Lets an execution that is being created run the part. The values of the event are among the variables.
    pub(crate) fn begin(&self, execution: &mut Execution) {
        let Self { region, event: _, variables, steps, item, steps_most: _, usage: _ } = self.clone();
        execution.region = Some(region);
        execution.variables = variables;
        execution.steps = steps;
        execution.item = item;
        execution.overrides.clear();
    }
}

/// The ids of the steps whose results some steps read, at any depth; an empty one stands for all.
fn steps_read(steps: &[Step]) -> Vec<&str> {
    let mut read = Vec::new();
    for step in steps {
        read.extend(step.steps_read.iter().map(String::as_str));
        step.branches().into_iter().for_each(|branch| read.extend(steps_read(branch.steps)));
    }
    read
}

impl Plan {
    /// The steps of a part; `None` if an edit took it away.
    pub(crate) fn steps_of(&self, region: &Region) -> Option<&[Step]> {
        self.step(&region.step)?.branch(&region.name)
    }

    /// The step at which an execution begins.
    pub(crate) fn first_of(&self, execution: &Execution) -> Option<&str> {
        let Some(region) = &execution.region else { return self.first() };
        self.steps_of(region)?.first().map(|step| step.id.as_str())
    }
}
