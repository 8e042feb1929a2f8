//! Forks: executions that begin from what another one had come to, or anew from its event.
//!
//! A fork is an execution of its own. It takes over values, and nothing that the original has begun: calls, children, leases and
//! checkpoints stay with the original, to which nothing is written. The keys of its effects follow from its own id, so it makes
//! the calls of its steps itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_definition::Step;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::replay::last_before;
use crate::{Act, Event, Execution, Plan, Recording, ReplayError, ReturnTo, Row, StepCode, StepError, StepState};

/// Of which execution a fork is one. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The original.
    pub execution: String,
    /// The step before which it begins; `None` if it begins anew from the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The row of the original after which it begins: 0 if it begins anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seq: u64,
    /// The original never began: the code with which its event was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What a fork begins with. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForkStart {
    /// Where it begins.
    #[serde(flatten)]
    pub fork: Fork,
    /// Id of the event that began the original.
    pub event: String,
    /// Who asks for it, and why.
    pub act: Act,
    /// Values that were given for it, by the name of their variable.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// What the original had come to; `None` if it begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ForkState>,
    /// The revision of the workflow that it keeps; `None` if it follows the workflow as any other execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The records whose values may be among these, each `{object, id}`: they are forgotten with the record.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub read: Value,
}

/// What an execution had come to before a step. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ForkState {
    /// Variables.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// Results of steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, StepState>,
    /// Visits of steps whose results ended with their item.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visits: BTreeMap<String, u32>,
    /// Steps that had failed finally.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failed_steps: BTreeSet<String>,
    /// Where it was to go on after the steps of a default failure policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns_to: Option<ReturnTo>,
}

/// What a fork is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ForkOrder {
    /// The step before which it begins; `None` if it begins anew from the event.
    pub at: Option<String>,
    /// Values that take the place of variables, typed.
    pub values: Map<String, Value>,
    /// The revision of the workflow that it keeps; `None` if it follows the workflow.
    pub revision: Option<u64>,
    /// Who asks, and why.
    pub act: Act,
}

/// Why an execution cannot be forked so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// The workflow has no such step.
    #[error("expected a step of the workflow's present revision, found {0:?}")]
    UnknownStep(String),
    /// The step belongs to a loop or to a lane, which an execution cannot begin inside of.
    #[error("step {step:?} stands inside of step {around:?}, a loop or lanes: fork at {around:?}")]
    Inside {
        /// The step.
        step: String,
        /// The outermost step around it.
        around: String,
    },
    /// The execution runs a part of another one.
    #[error("it runs a part of the execution {whole}: fork that one, at its step {step:?} or from the beginning")]
    Part {
        /// The execution that it is a part of.
        whole: String,
        /// The step that it belongs to.
        step: String,
    },
    /// The execution never came to the step.
    #[error("it has never stood before step {0:?}")]
    NotReached(String),
    /// Its values were taken away with a record.
    #[error("its values were forgotten at {0}")]
    Forgotten(Timestamp),
    /// Its rows do not suffice to decide it again.
    #[error("what it had come to cannot be worked out from its history: {0}")]
    Replay(#[from] ReplayError),
}

impl Fork {
    /// What a row says of it.
    fn note(&self, act: &Act) -> String {
        let of = match (&self.at, &self.refused) {
            (Some(step), _) => format!("fork of {} before step {step}", self.execution),
            (None, None) => format!("rerun of {}", self.execution),
            (None, Some(code)) => format!("replay of an event that was refused with {code}"),
        };
        match &act.reason {
            Some(reason) => format!("{of}: {reason}"),
            None => of,
        }
    }
}

impl ForkStart {
    /// What a fork of an execution begins with, by the revision of the workflow that it begins with.
    ///
    /// # Errors
    /// The execution cannot be forked, or not at this step.
    pub fn of(order: ForkOrder, head: &Execution, plan: &Plan, recording: &Recording<'_>) -> Result<Self, ForkError> {
        let ForkOrder { at, values: given, revision, act } = order;
        is_whole(head)?;
        let began = &recording.event.event;
        // A value that was given to the original holds on.
        let mut values = began.fork.as_ref().map(|start| start.values.clone()).unwrap_or_default();
        let mut fork = Fork { execution: head.id.clone(), at, seq: 0, refused: None };
        let mut state = None;
        if let Some(at) = &fork.at {
            plan.can_begin_at(at)?;
            let stood = last_before(recording, at)?.ok_or_else(|| ForkError::NotReached(at.clone()))?;
            if let Some(frame) = stood.frames.first() {
                return Err(ForkError::Inside { step: at.clone(), around: frame.step.clone() });
            }
            fork.seq = stood.seq;
            state = Some(ForkState::of(stood));
            // It was taken by a variable, which may have changed since.
            values.clear();
        }
        values.extend(given);
        Ok(Self { fork, event: began.whole().to_owned(), act, values, state, revision, read: Value::Null })
    }

    /// What an execution begins with that an event starts although it was refused, with this code, in the place of an execution.
    pub fn of_refused(order: ForkOrder, execution: String, code: &str, event: &Event) -> Self {
        let ForkOrder { at: _, values, revision, act } = order;
        let fork = Fork { execution, at: None, seq: 0, refused: Some(code.to_owned()) };
        Self { fork, event: event.whole().to_owned(), act, values, state: None, revision, read: Value::Null }
    }

    /// The event that starts the fork: the one that began the original, under an id of its own. The record that it makes is
    /// there, unless the original never began.
    pub fn event(self, id: String, workflow: &str, began: &Event) -> Event {
        Event {
            id,
            workflow: Some(workflow.to_owned()),
            creation: began.creation.clone().filter(|_| self.fork.refused.is_some()),
            parent: None,
            fork: Some(Box::new(self)),
            debug: false,
            ..began.clone()
        }
    }

    /// Lets an execution that is being created begin so.
    pub(crate) fn begin(&self, execution: &mut Execution) {
        let Self { fork, event: _, act: _, values, state, revision, read: _ } = self.clone();
        execution.fork = Some(Box::new(fork));
        execution.keeps_revision = revision.is_some();
        let Some(state) = state else { return execution.overrides.extend(values) };
        let ForkState { variables, steps, visits, failed_steps, returns_to } = state;
        execution.overrides.clear();
        execution.variables = variables;
        execution.variables.extend(values);
        (execution.steps, execution.visits) = (steps, visits);
        (execution.failed_steps, execution.returns_to) = (failed_steps, returns_to);
    }

    /// Its first row says who asked for it.
    pub(crate) fn tell(&self, row: &mut Row) {
        row.actor = Some(self.act.actor.clone());
        row.note = Some(self.fork.note(&self.act));
    }
}

/// Only an execution that has its values, and is none of a part, can be forked.
fn is_whole(head: &Execution) -> Result<(), ForkError> {
    if let Some(at) = head.forgotten {
        return Err(ForkError::Forgotten(at));
    }
    match (&head.region, &head.parent) {
        (Some(region), Some(parent)) => {
            Err(ForkError::Part { whole: parent.by.execution.clone(), step: region.step.clone() })
        }
        _ => Ok(()),
    }
}

impl ForkState {
    /// Of an execution that stands before a step. What its steps keep for themselves belongs to what they have begun, and a visit
    /// that an edit has cut off came to nothing: it is only counted.
    fn of(execution: Execution) -> Self {
        let Execution { variables, mut steps, mut visits, failed_steps, returns_to, .. } = execution;
        let cut_off = steps.extract_if(.., |_, state| !state.status.has_ended());
        visits.extend(cut_off.map(|(step, state)| (step, state.visit)));
        for state in steps.values_mut() {
            (state.checkpoint, state.kept) = (Value::Null, Value::Null);
            // A person acts: visits are counted anew.
            state.fresh_visits = 0;
        }
        Self { variables, steps, visits, failed_steps, returns_to }
    }
}

impl Execution {
    /// The step before which it begins with the values of another execution.
    pub(crate) fn begins_at(&self) -> Option<&str> {
        self.fork.as_ref()?.at.as_deref()
    }
}

impl Plan {
    /// Whether an execution can begin before a step: it is there, and stands in no loop and in no lane.
    pub(crate) fn can_begin_at(&self, id: &str) -> Result<(), ForkError> {
        if self.step(id).is_none() {
            return Err(ForkError::UnknownStep(id.to_owned()));
        }
        match around(&self.workflow.steps, id).or_else(|| around(self.workflow.failure_steps(), id)) {
            Some(around) => Err(ForkError::Inside { step: id.to_owned(), around: around.id.clone() }),
            None => Ok(()),
        }
    }
}

/// The outermost step that has a step in a part with an end of its own.
fn around<'s>(steps: &'s [Step], id: &str) -> Option<&'s Step> {
    fn holds(steps: &[Step], id: &str) -> bool {
        steps.iter().any(|step| step.id == id || step.branches().iter().any(|branch| holds(branch.steps, id)))
    }
    steps.iter().find_map(|step| {
        let branch = step.branches().into_iter().find(|branch| holds(branch.steps, id))?;
        if branch.region.is_some() { Some(step) } else { around(branch.steps, id) }
    })
}

impl From<ForkError> for StepError {
    /// An edit has taken the step away since the fork was asked for.
    fn from(error: ForkError) -> Self {
        Self::new(StepCode::UnknownStep, error.to_string())
    }
}
