//! What must have come of a story.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::happening::keys;

/// What must have come of a story, or of a case. What is not said is not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    pub(crate) workflow: Option<String>,
    pub(crate) execution: ExpectedExecution,
    pub(crate) executions: Which,
    pub(crate) children: BTreeMap<String, Vec<ExpectedExecution>>,
    pub(crate) records: BTreeMap<String, Vec<Value>>,
    pub(crate) activities: Option<Vec<Value>>,
    pub(crate) calls: Option<Vec<ExpectedCall>>,
    pub(crate) state_machines: Option<Vec<ExpectedMachine>>,
    pub(crate) cloud: Option<Vec<Value>>,
    pub(crate) notices: Option<Vec<ExpectedNotice>>,
    pub(crate) refused: Option<String>,
    pub(crate) began: Option<bool>,
}

/// What must have come of one execution. What is not said is not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ExpectedExecution {
    pub(crate) status: Option<String>,
    pub(crate) path: Option<Vec<String>>,
    pub(crate) variables: Map<String, Value>,
    pub(crate) failed_steps: Option<Vec<String>>,
    pub(crate) error: Option<String>,
    pub(crate) output: Map<String, Value>,
    /// By `step.lane`, or `step[index]`, what must have come of the last execution of that lane or item.
    pub(crate) lanes: BTreeMap<String, ExpectedExecution>,
    pub(crate) outcome: Option<String>,
}

/// Which executions are held against what is expected of an execution.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Which {
    /// The last one.
    #[default]
    Last,
    /// Every one.
    Every,
    /// Each against its own, in the order in which they began.
    Each(Vec<ExpectedExecution>),
}

/// A call of an outside service that must have been made. What is not said is not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExpectedCall {
    /// Method.
    pub method: Option<String>,
    /// URL.
    pub url: Option<String>,
    /// Some of its headers.
    pub headers: BTreeMap<String, String>,
    /// Its body, or a part of it.
    pub body: Option<Value>,
}

/// A notice that must have been handed on. What is not said is not looked at; `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ExpectedNotice {
    pub(crate) to: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) text: Option<String>,
}

/// A state machine that must have been started. What is not said is not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExpectedMachine {
    /// ARN; `*` stands for any text.
    pub machine: Option<String>,
    /// Its input, or a part of it.
    pub input: Option<Value>,
}

impl ExpectedCall {
    /// A call of a method and URL.
    pub fn of(method: &str, url: &str) -> Self {
        Self { method: Some(method.to_owned()), url: Some(url.to_owned()), ..Self::default() }
    }

    /// With this body, or this part of it.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

fn in_state(status: &str) -> Expected {
    let execution = ExpectedExecution { status: Some(status.to_owned()), ..ExpectedExecution::default() };
    Expected { execution, ..Expected::default() }
}

/// The execution completed.
pub fn completed() -> Expected {
    in_state("completed")
}

/// The execution failed, with this code.
pub fn failed(code: &str) -> Expected {
    let mut expected = in_state("failed");
    expected.execution.error = Some(code.to_owned());
    expected
}

/// The execution was canceled.
pub fn canceled() -> Expected {
    in_state("canceled")
}

/// The execution is paused.
pub fn paused() -> Expected {
    in_state("paused")
}

/// The execution waits inside a step.
pub fn waiting() -> Expected {
    in_state("waiting")
}

/// The execution has not begun.
pub fn queued() -> Expected {
    in_state("queued")
}

/// The execution runs.
pub fn running() -> Expected {
    in_state("running")
}

/// The last start was refused, with this code.
pub fn refused(code: &str) -> Expected {
    Expected { refused: Some(code.to_owned()), ..Expected::default() }
}

/// No execution began.
pub fn nothing_began() -> Expected {
    Expected { began: Some(false), ..Expected::default() }
}

impl Expected {
    /// Of the last execution of this workflow, not of the last of all.
    #[must_use]
    pub fn of(mut self, workflow: &str) -> Self {
        self.workflow = Some(workflow.to_owned());
        self
    }

    /// The path was this: steps as `id`, `id:branch`, `id:failed`, `id:skipped` or `id:moved`.
    #[must_use]
    pub fn path<const N: usize>(mut self, path: [&str; N]) -> Self {
        self.execution.path = Some(path.map(str::to_owned).to_vec());
        self
    }

    /// A variable has this value; of an object, these keys.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.execution.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Its result has this value; of an object, these keys.
    #[must_use]
    pub fn output(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.execution.output.insert(name.to_owned(), value.into());
        self
    }

    /// These are all records of an object, in any order; of each, the fields named here are compared.
    #[must_use]
    pub fn records<const N: usize>(mut self, object: &str, records: [Value; N]) -> Self {
        self.records.insert(object.to_owned(), records.map(|record| Value::Object(keys(record))).to_vec());
        self
    }

    /// These are all calls that were made, in order.
    #[must_use]
    pub fn calls<const N: usize>(mut self, calls: [ExpectedCall; N]) -> Self {
        self.calls = Some(Vec::from(calls));
        self
    }

    /// The execution reached what its workflow is for, or not: `reached`, `not_reached`, `unknown`.
    #[must_use]
    pub fn outcome(mut self, outcome: &str) -> Self {
        self.execution.outcome = Some(outcome.to_owned());
        self
    }

    /// These are the inputs of all state machines that were started, or parts of them, in order.
    #[must_use]
    pub fn state_machines<const N: usize>(mut self, inputs: [Value; N]) -> Self {
        let started = |input| ExpectedMachine { input: Some(input), ..ExpectedMachine::default() };
        self.state_machines = Some(inputs.map(started).to_vec());
        self
    }

    /// These steps failed for good.
    #[must_use]
    pub fn failed_steps<const N: usize>(mut self, steps: [&str; N]) -> Self {
        self.execution.failed_steps = Some(steps.map(str::to_owned).to_vec());
        self
    }
}
