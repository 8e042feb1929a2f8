//! Parts of a workflow with an end of their own, which an execution runs for another one: lanes, and slices of the items of a
//! loop.
//!
//! An execution that runs a part is a child of the one that it belongs to, of the same workflow, on the same record and for the
//! same event. It begins with what that one has: its variables, and what its steps came to as far as the part reads it. It ends
//! where its part ends.

use std::collections::BTreeMap;

use pawl_definition::Step;
use pawl_definition::step::RegionKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::steps::StepContext;
use crate::{Context, Execution, Item, Plan, StepState, Usage};

/// A part of a workflow. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Region {
    /// The step that it belongs to.
    pub step: String,
    /// Its name below that step: the lane, or of a slice the places of its items, `7` or `7-11`.
    pub name: String,
}

impl Region {
    /// Whether it is a slice of the items of a loop: the name of a lane begins with no digit.
    pub fn is_slice(&self) -> bool {
        self.name.starts_with(|c: char| c.is_ascii_digit())
    }

    /// Whether people call it so: a lane `step.lane`, a slice as it is shown or by one of its items, `step[7]`.
    pub fn is_called(&self, name: &str) -> bool {
        let place = || name.strip_prefix(self.step.as_str())?.strip_prefix('[')?.strip_suffix(']')?.parse::<u32>().ok();
        let (from, to) = self.name.split_once('-').unwrap_or((&self.name, &self.name));
        let has = |place: u32| from.parse().is_ok_and(|from| place >= from) && to.parse().is_ok_and(|to| place <= to);
        self.to_string() == name || self.is_slice() && place().is_some_and(has)
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_slice() {
            return write!(f, "{}[{}]", self.step, self.name);
        }
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
    /// Id of the event of the whole, if the whole is a fork: its data are those of the event that began the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_fork: Option<String>,
    /// The revision of the workflow, if the whole keeps one to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The data of that event are large: they stand beside the whole alone, and are read there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shares_data: bool,
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
        Self { steps_most, ..Self::reading(&read, cx, execution, region) }
    }

    /// What a slice of a loop begins with, and what the loop's type keeps of it.
    pub(crate) fn of_slice(at: &StepContext<'_>, region: Region, (kept, steps_most): (Value, u32)) -> Self {
        let read = steps_read(std::slice::from_ref(at.step));
        let mut start = Self { steps_most, ..Self::reading(&read, at.cx, at.execution, region) };
        let state = StepState { kept, ..StepState::new(0, at.cx.now) };
        start.steps.insert(at.step.id.clone(), state);
        start
    }

    fn reading(read: &[&str], cx: &Context<'_>, execution: &Execution, region: Region) -> Self {
        let is_read = |id: &String| read.contains(&id.as_str()) || read.contains(&"");
        let steps = execution.steps.iter().filter(|(id, _)| is_read(id) && **id != region.step);
        let ended = |state: &StepState| StepState { checkpoint: Value::Null, ..state.clone() };
        Self {
            steps: steps.map(|(id, state)| (id.clone(), ended(state))).collect(),
            event: cx.event.event.whole().to_owned(),
            of_fork: cx.event.event.of_fork(),
            revision: None,
            shares_data: false,
            variables: execution.variables.clone(),
            item: execution.item().cloned(),
            steps_most: 0,
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
        #[rustfmt::skip]
        let Self {
            region, event: _, of_fork: _, revision, shares_data: _, variables, steps, item, steps_most: _, usage: _,
        } = self.clone();
        execution.region = Some(region);
        execution.keeps_revision = revision.is_some();
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
        if region.is_slice() {
            let is_loop = |step: &&Step| step.branches().iter().any(|branch| branch.region == Some(RegionKind::Item));
            return self.step(&region.step).filter(is_loop).map(|step| step.id.as_str());
        }
        self.steps_of(region)?.first().map(|step| step.id.as_str())
    }
}
