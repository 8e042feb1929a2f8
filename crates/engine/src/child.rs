//! Executions that have a parent: what a child keeps of it, what a parent sees of its children, and when a child is held or
//! canceled because its parent is.
//!
//! A child looks at the heads of those that wait for it whenever it goes on. So no message has to arrive for a control of the
//! parent to take effect before the child's next step; messages only make it sooner.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::steps;
use crate::{Address, Execution, OpenPart, Status, StepError, StepStatus, Usage};

/// One visit of a step that started an execution.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StartedBy {
    /// The execution.
    pub execution: String,
    /// Where in it.
    pub address: Address,
    /// Visit of the step.
    pub visit: u32,
}

/// The parent of an execution. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Which visit of which step started it.
    #[serde(flatten)]
    pub by: StartedBy,
    /// Its number among the children of that visit, from 0.
    pub index: u32,
    /// The parent waits for its end, so that a pause, a kill and a cancel of the parent concern it too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// Those who wait for the parent's own end, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<StartedBy>,
}

/// What a parent sees of a child that it waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildSeen {
    /// Its state.
    #[serde(rename = "s")]
    pub status: Status,
    /// Its result, if it completed and its workflow declares one.
    #[serde(rename = "o", default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Why it failed.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// Why it was canceled or stopped.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it ended.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Of a part: the variables that it changed.
    #[serde(rename = "v", default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// Of a part: it ended by a step that ends the whole.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub stops: bool,
    /// Of a part: the steps that it carried out.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub steps: u32,
    /// Of a part: its own parts that go on.
    #[serde(rename = "p", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open_parts: BTreeMap<String, OpenPart>,
    /// Of a part: what models cost it.
    #[serde(rename = "u", default, skip_serializing_if = "Usage::is_zero")]
    pub usage: Usage,
    /// Of a part: its steps that failed finally.
    #[serde(rename = "f", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failed_steps: BTreeSet<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What those who wait for an execution let it do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Hold {
    /// It goes on: nobody waits for it, or none of those who do is held.
    #[default]
    Free,
    /// This execution waits for it, and is paused or killed.
    Held(String),
    /// This execution waited for it, and was canceled.
    Canceled(String),
}

/// How an execution stands to one that it started.
enum Relation {
    Waits,
    Canceled,
    Over,
}

impl Parent {
    /// Those who wait for the child, nearest first.
    pub fn waiting(&self) -> impl Iterator<Item = &StartedBy> {
        std::iter::once(&self.by).filter(|_| self.waits).chain(self.above.iter().filter(|_| self.waits))
    }
}

impl ChildSeen {
    /// Of its head, as its parent sees it.
    pub fn of(head: &Execution, parent: &Execution) -> Self {
        let is_told = head.status == Status::Canceled || head.stops;
        let seen = Self {
            output: head.output.clone(),
            error: head.error.clone(),
            reason: head.reason.clone().filter(|_| is_told),
            ..Self::standing(head.status)
        };
        if head.region.is_none() || !head.status.is_ended() {
            return seen;
        }
        let changed = head.variables.iter().filter(|(name, value)| parent.variables.get(*name) != Some(*value));
        Self {
            ended_at: head.ended_at,
            variables: changed.map(|(name, value)| (name.clone(), value.clone())).collect(),
            stops: head.stops,
            failed_steps: head.failed_steps.clone(),
            ..Self::taken(head, seen)
        }
    }

    /// Of a part that goes on although its step is over: only what it takes is looked at.
    pub fn of_open_part(head: &Execution) -> Self {
        let seen = Self::standing(head.status);
        if head.status.is_ended() { Self::taken(head, seen) } else { seen }
    }

    /// Of such a part that is not there. It was never started, or it has expired by now: then it counts as all that it could
    /// have carried out.
    pub fn of_lost_part(part: &OpenPart, may_have_expired: bool) -> Self {
        let steps = if may_have_expired { part.steps } else { 0 };
        Self { steps, ..Self::standing(Status::Canceled) }
    }

    fn taken(head: &Execution, seen: Self) -> Self {
        Self { steps: head.steps_done, open_parts: head.parts.open.clone(), usage: head.usage, ..seen }
    }

    /// Of one of which no more is known than its state.
    pub fn standing(status: Status) -> Self {
        Self {
            status,
            output: Value::Null,
            error: None,
            reason: None,
            ended_at: None,
            variables: Map::new(),
            stops: false,
            steps: 0,
            open_parts: BTreeMap::new(),
            usage: Usage::default(),
            failed_steps: BTreeSet::new(),
        }
    }
}

impl StartedBy {
    /// Whether the execution still waits in that visit.
    fn relation(&self, head: &Execution) -> Relation {
        let step = self.address.step();
        let Some(state) = head.steps.get(step).filter(|state| state.visit == self.visit) else { return Relation::Over };
        match head.status {
            Status::Canceled if state.status == StepStatus::Canceled => Relation::Canceled,
            status if status.is_ended() => Relation::Over,
            _ if steps::lets_go(head) => Relation::Over,
            // A time-out ends the wait, although a pause for the failure leaves the cursor at the step.
            _ if state.status == StepStatus::Failed => Relation::Over,
            _ if head.cursor.as_deref() == Some(step) && head.entered.is_some() => Relation::Waits,
            _ => Relation::Over,
        }
    }
}

/// The root of the tree that an execution is a part of, given the heads of those who wait for it: the nearest that is no part.
/// `None` if it is no part itself, or if the root is not there.
pub fn root_of<'h>(execution: &Execution, heads: &'h BTreeMap<String, Execution>) -> Option<&'h Execution> {
    execution.region.as_ref()?;
    let waiting = execution.parent.iter().flat_map(Parent::waiting);
    let found = waiting.map_while(|by| heads.get(&by.execution));
    found.into_iter().find(|head| head.region.is_none())
}

impl Hold {
    /// Of an execution, given the heads of those who wait for it. One that is not there any more has moved on. A part of an
    /// execution that has moved on runs for nobody.
    pub fn of(execution: &Execution, heads: &BTreeMap<String, Execution>) -> Self {
        let mut hold = Self::Free;
        let mut is_part = execution.region.is_some();
        for by in execution.parent.iter().flat_map(Parent::waiting) {
            let Some(head) = heads.get(&by.execution) else {
                return if is_part { Self::Canceled(by.execution.clone()) } else { hold };
            };
            match by.relation(head) {
                Relation::Over if is_part => return Self::Canceled(head.id.clone()),
                Relation::Over => return hold,
                Relation::Canceled => return Self::Canceled(head.id.clone()),
                // A pause or cancel that waits for the call in progress holds the child already.
                Relation::Waits if hold == Self::Free => {
                    let is_held = head.status == Status::Paused || head.killed.is_some() || head.requested.is_some();
                    if is_held {
                        hold = Self::Held(head.id.clone());
                    }
                }
                Relation::Waits => {}
            }
            is_part = head.region.is_some();
        }
        hold
    }
}
