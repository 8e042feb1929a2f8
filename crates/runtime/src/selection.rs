//! A filter of executions: of a listing, and of a tracked action.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_engine::{Execution, OutcomeStatus, Status, Subject};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::StatePartition;

/// Something that holds or marks an execution beside its state. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indicator {
    /// `limits.starts` delays the start.
    Throttled,
    /// A job of it was given up.
    Stalled,
    /// It, its workflow or the installation was killed.
    Killed,
    /// A step of it failed.
    HasFailures,
    /// A model call was refused for its budget.
    OverBudget,
}

impl Indicator {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Throttled, Self::Stalled, Self::Killed, Self::HasFailures, Self::OverBudget];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Stalled => "stalled",
            Self::Killed => "killed",
            Self::HasFailures => "has_failures",
            Self::OverBudget => "over_budget",
        }
    }
}

/// Which executions; what is absent is any. Stored with an action.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// These, by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Those whose id begins so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Of this workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// On this record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Subject>,
    /// In one of these states; none is any.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub states: BTreeSet<Status>,
    /// At this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// With a failure of this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// With this indicator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<Indicator>,
    /// With this outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeStatus>,
    /// Made at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Made before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Selection {
    /// Whether it has no key, so that it would fit every execution.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Its keys as people write them: those of the listing of executions.
    pub fn written(&self) -> Value {
        let states: Vec<_> = self.states.iter().map(|state| state.as_str()).collect();
        let keys = [
            ("ids", (!self.ids.is_empty()).then(|| json!(self.ids))),
            ("id", self.prefix.as_ref().map(|prefix| json!(prefix))),
            ("workflow", self.workflow.as_ref().map(|workflow| json!(workflow))),
            ("record", self.record.as_ref().map(|record| json!(record.to_string()))),
            ("status", (!states.is_empty()).then(|| json!(states.join(",")))),
            ("step", self.step.as_ref().map(|step| json!(step))),
            ("code", self.code.as_ref().map(|code| json!(code))),
            ("indicator", self.indicator.map(|indicator| json!(indicator.as_str()))),
            ("outcome", self.outcome.map(|outcome| json!(outcome.as_str()))),
            ("since", self.since.map(|since| json!(since))),
            ("until", self.until.map(|until| json!(until))),
        ];
        keys.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// Whether an execution fits, as far as its head says: its workflow or the installation may be killed besides.
    pub fn fits(&self, execution: &Execution) -> bool {
        let is_in_time = self.since.is_none_or(|since| execution.created_at >= since)
            && self.until.is_none_or(|until| execution.created_at < until);
        let indicator = self.indicator.is_none_or(|indicator| match indicator {
            Indicator::Killed => !execution.status.is_ended(),
            own => execution.indicators().contains(&own.as_str()),
        });
        is_in_time
            && (self.ids.is_empty() || self.ids.contains(&execution.id))
            && self.prefix.as_ref().is_none_or(|prefix| execution.id.starts_with(prefix))
            && (self.states.is_empty() || self.states.contains(&execution.status))
            && self.workflow.as_ref().is_none_or(|workflow| *workflow == execution.workflow)
            && (self.record.is_none() || self.record == execution.record)
            && (self.step.is_none() || self.step == execution.cursor)
            && (self.outcome.is_none() || self.outcome == execution.outcome)
            && indicator
            && self.has_code(execution)
    }

    /// The partitions on which executions in one of the states may stand.
    pub fn partitions(&self) -> impl Iterator<Item = StatePartition> {
        let may_hold = |partition: &StatePartition| {
            self.states.is_empty() || self.states.iter().any(|state| partition.may_hold(*state))
        };
        StatePartition::ALL.into_iter().filter(may_hold)
    }

    fn has_code(&self, execution: &Execution) -> bool {
        let Some(code) = &self.code else { return true };
        let of_steps = execution.steps.values().filter_map(|state| state.error.as_ref());
        execution.error.iter().chain(of_steps).any(|error| error.code == code.as_str())
    }
}
