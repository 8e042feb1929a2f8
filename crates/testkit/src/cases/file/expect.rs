//! What must have come of a case.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cases::cloud::CloudTest;
use crate::cases::describe::JsonSchema;
use crate::cases::machines::MachineStart;

/// What must have come of a case.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct Expect {
    /// State of the execution.
    #[serde(default)]
    pub(in crate::cases) status: Option<StatusWord>,
    /// The path: each step that ended, in order, as `id`, `id:branch`, `id:failed`, `id:skipped` or `id:moved`.
    #[serde(default)]
    pub(in crate::cases) path: Option<Vec<String>>,
    /// Values of variables; of an object, the keys that are named.
    #[serde(default)]
    pub(in crate::cases) variables: Map<String, Value>,
    /// The result of the execution; of an object, the keys that are named.
    #[serde(default)]
    pub(in crate::cases) output: Map<String, Value>,
    /// Whether the execution reached what its workflow is for.
    #[serde(default)]
    pub(in crate::cases) outcome: Option<OutcomeWord>,
    /// By workflow the executions of it that began, in order, each with what must have come of it.
    #[serde(default)]
    pub(in crate::cases) children: BTreeMap<String, Vec<ExpectExecution>>,
    /// By `step.lane` what must have come of a lane, or by `step[index]` of an item that runs beside others, of its last visit.
    #[serde(default)]
    pub(in crate::cases) lanes: BTreeMap<String, ExpectExecution>,
    /// Every execution of the workflow that began, in order, each with what must have come of it; in place of `status`, `path`,
    /// `variables`, `failed_steps` and `error`, which are held against each.
    #[serde(default)]
    pub(in crate::cases) executions: Option<Vec<ExpectExecution>>,
    /// By object all its records, in any order; of each, the fields that are named.
    #[serde(default)]
    pub(in crate::cases) records: BTreeMap<String, Vec<Map<String, Value>>>,
    /// Activities about records, all of them, each by some of its values: those of `trigger.activity`.
    #[serde(default)]
    pub(in crate::cases) activities: Option<Vec<Map<String, Value>>>,
    /// All calls of outside services, in order.
    #[serde(default)]
    pub(in crate::cases) calls: Option<Vec<Call>>,
    /// All state machines that were started, in order.
    #[serde(default)]
    pub(in crate::cases) state_machines: Option<Vec<MachineStart>>,
    /// All calls of services of the cloud, in order: events, messages, functions.
    #[serde(default)]
    pub(in crate::cases) cloud: Option<Vec<CloudTest>>,
    /// All notices to people, in order.
    #[serde(default)]
    pub(in crate::cases) notices: Option<Vec<Told>>,
    /// Steps that failed for good.
    #[serde(default)]
    pub(in crate::cases) failed_steps: Option<Vec<String>>,
    /// Code of the failure that ended it.
    #[serde(default)]
    pub(in crate::cases) error: Option<String>,
    /// `false`: no execution began.
    #[serde(default)]
    pub(in crate::cases) began: Option<bool>,
    /// The start was refused, or the delivery rejected, with this code.
    #[serde(default)]
    pub(in crate::cases) refused: Option<String>,
}

impl Expect {
    /// What it says of an execution.
    pub(in crate::cases) fn execution(&self) -> ExpectExecution {
        ExpectExecution {
            status: self.status,
            path: self.path.clone(),
            variables: self.variables.clone(),
            failed_steps: self.failed_steps.clone(),
            error: self.error.clone(),
            output: self.output.clone(),
            lanes: self.lanes.clone(),
            outcome: self.outcome,
        }
    }
}

/// What must have come of one execution.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct ExpectExecution {
    /// State of the execution.
    #[serde(default)]
    pub(in crate::cases) status: Option<StatusWord>,
    /// The path: each step that ended, in order, as `id`, `id:branch`, `id:failed`, `id:skipped` or `id:moved`.
    #[serde(default)]
    pub(in crate::cases) path: Option<Vec<String>>,
    /// Values of variables; of an object, the keys that are named.
    #[serde(default)]
    pub(in crate::cases) variables: Map<String, Value>,
    /// Steps that failed for good.
    #[serde(default)]
    pub(in crate::cases) failed_steps: Option<Vec<String>>,
    /// Code of the failure that ended it.
    #[serde(default)]
    pub(in crate::cases) error: Option<String>,
    /// Its result; of an object, the keys that are named.
    #[serde(default)]
    pub(in crate::cases) output: Map<String, Value>,
    /// Whether it reached what its workflow is for.
    #[serde(default)]
    pub(in crate::cases) outcome: Option<OutcomeWord>,
    /// By `step.lane` or `step[index]` what must have come of a lane or an item of it.
    #[serde(default)]
    pub(in crate::cases) lanes: BTreeMap<String, ExpectExecution>,
}

/// Whether an execution reached what its workflow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::cases) enum OutcomeWord {
    /// It has.
    Reached,
    /// It has not.
    NotReached,
    /// That could not be computed.
    Unknown,
}

/// A state of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::cases) enum StatusWord {
    /// Has not begun.
    Queued,
    /// Runs.
    Running,
    /// Waits inside a step.
    Waiting,
    /// Waits for a person.
    Paused,
    /// Came to its end.
    Completed,
    /// Was canceled.
    Canceled,
    /// Failed.
    Failed,
}

/// A notice that must have been handed on.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct Told {
    /// Whom; `*` stands for any text.
    #[serde(default)]
    pub(in crate::cases) to: Option<String>,
    /// How grave.
    #[serde(default)]
    pub(in crate::cases) severity: Option<String>,
    /// Its line; `*` stands for any text.
    #[serde(default)]
    pub(in crate::cases) subject: Option<String>,
    /// What it says; `*` stands for any text.
    #[serde(default)]
    pub(in crate::cases) text: Option<String>,
}

/// A call of an outside service that must have been made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct Call {
    /// Method.
    #[serde(default)]
    pub(in crate::cases) method: Option<String>,
    /// URL as it is sent, with its query; `*` stands for any text.
    #[serde(default)]
    pub(in crate::cases) url: Option<String>,
    /// Some of its headers.
    #[serde(default)]
    pub(in crate::cases) headers: BTreeMap<String, String>,
    /// Its body, or a part of it.
    #[serde(default)]
    pub(in crate::cases) body: Option<Value>,
}
