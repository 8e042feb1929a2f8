//! Compares what came of a story with what was expected.

use std::collections::BTreeMap;

use pawl_definition::value::is_blank;
use pawl_definition::{ARCHIVED_AT, Object, value};
use pawl_engine::{Execution, OutcomeStatus};
use pawl_runtime::ports::{CloudCall, StartStateMachine};
use serde_json::Value;

use super::path_difference::path_difference;
use crate::cases::{fits_body, fits_pattern, is_url};

use super::{Expected, ExpectedCall, ExpectedExecution, ExpectedMachine, Trace, Which, World};

impl World {
    /// What differs from what was expected, each in words; nothing if all is as it should be.
    pub fn differences(&self, expected: &Expected) -> Vec<String> {
        let mut found = Vec::new();
        if expected.began == Some(false) {
            let began = self.last_trace(expected.workflow.as_deref());
            found.extend(began.map(|trace| format!("expected that no execution begins, found one\n{trace}")));
        } else if let Some(code) = &expected.refused {
            found.extend(self.refusal_difference(expected.workflow.as_deref(), code));
        } else {
            found.extend(self.executions_difference(expected));
        }
        for (workflow, each) in &expected.children {
            found.extend(self.children_difference(workflow, each));
        }
        for (object, records) in &expected.records {
            found.extend(self.record_difference(object, records));
        }
        if let Some(activities) = &expected.activities {
            found.extend(self.activity_difference(activities));
        }
        if let Some(calls) = &expected.calls {
            found.extend(self.call_difference(calls));
        }
        if let Some(notices) = &expected.notices {
            found.extend(self.notice_difference(notices));
        }
        if let Some(starts) = &expected.state_machines {
            found.extend(self.machine_difference(starts));
        }
        if let Some(calls) = &expected.cloud {
            found.extend(self.cloud_difference(calls));
        }
        let functions = self.cloud.unanswered().into_iter();
        found.extend(functions.map(|name| format!("no answer is scripted for the function {name}")));
        let machines = self.state_machines.unanswered();
        found.extend(machines.into_iter().map(|arn| format!("no answer is scripted for the state machine {arn}")));
        found.extend(
            self.http.unanswered().into_iter().map(|call| format!("no answer is scripted for the call {call}")),
        );
        found
    }

    fn executions_difference(&self, expected: &Expected) -> Vec<String> {
        let workflow = expected.workflow.as_deref();
        let Some(last) = self.last_trace(workflow) else { return vec![self.nothing_began()] };
        let of = |execution: &Execution| {
            execution.region.is_none() && workflow.is_none_or(|workflow| workflow == execution.workflow)
        };
        let all =
            || self.executions().into_iter().filter(of).map(|execution| self.trace(&execution.id)).collect::<Vec<_>>();
        match &expected.executions {
            Which::Last => self.execution_differences(&expected.execution, &last),
            Which::Every => {
                let traces = all();
                let expected = vec![&expected.execution; traces.len()];
                let mut found = self.differences_of_each(&expected, &traces);
                if traces.len() > 1 && !found.is_empty() {
                    found.push(format!(
                        "{} executions began, and each is held against what is expected; `executions` says it of each",
                        traces.len()
                    ));
                }
                found
            }
            Which::Each(expected) => {
                let traces = all();
                if traces.len() != expected.len() {
                    let several = if expected.len() == 1 { "execution" } else { "executions" };
                    return vec![format!("expected {} {several}, found {}", expected.len(), traces.len())];
                }
                self.differences_of_each(&expected.iter().collect::<Vec<_>>(), &traces)
            }
        }
    }

    /// What differs of the executions of a workflow that others start.
    fn children_difference(&self, workflow: &str, expected: &[ExpectedExecution]) -> Vec<String> {
        let of = |execution: &Execution| execution.region.is_none() && execution.workflow == workflow;
        let children = self.executions().into_iter().filter(of);
        let traces: Vec<_> = children.map(|execution| self.trace(&execution.id)).collect();
        let told = |difference: String| format!("{workflow}: {difference}");
        if traces.len() != expected.len() {
            let several = if expected.len() == 1 { "execution" } else { "executions" };
            return vec![told(format!("expected {} {several}, found {}", expected.len(), traces.len()))];
        }
        let each = self.differences_of_each(&expected.iter().collect::<Vec<_>>(), &traces);
        each.into_iter().map(told).collect()
    }

    /// The last execution, or the last of a workflow.
    pub fn last_trace(&self, workflow: Option<&str>) -> Option<Trace> {
        let mut executions = self.executions().into_iter().rev();
        let of = |execution: &Execution| workflow.is_none_or(|workflow| workflow == execution.workflow);
        let last = executions.find(|execution| execution.region.is_none() && of(execution))?;
        Some(self.trace(&last.id))
    }

    fn nothing_began(&self) -> String {
        let refusals: Vec<_> = self.workflow_ids().iter().flat_map(|id| self.refusals(id)).collect();
        match refusals.last() {
            Some(refusal) => {
                format!("expected an execution, found a refused start: {}: {}", refusal.code, refusal.message)
            }
            None => "expected an execution, found that nothing heard the event".to_owned(),
        }
    }

    fn workflow_ids(&self) -> Vec<String> {
        let listed = super::at_once(self.system.workflows.list(1_000, None)).expect("memory is readable");
        listed.items.into_iter().map(|head| head.id).collect()
    }

    fn refusal_difference(&self, workflow: Option<&str>, code: &str) -> Option<String> {
        let ids = workflow.map_or_else(|| self.workflow_ids(), |id| vec![id.to_owned()]);
        let refusals: Vec<_> = ids.iter().flat_map(|id| self.refusals(id)).collect();
        let found = match refusals.last() {
            Some(refusal) if refusal.code == code => return None,
            Some(refusal) => format!("{}: {}", refusal.code, refusal.message),
            None => "no refused start".to_owned(),
        };
        Some(format!("expected a start refused as {code}, found {found}"))
    }

    fn activity_difference(&self, expected: &[Value]) -> Option<String> {
        let activities = self.activities().iter().map(pawl_engine::RecordActivity::view).collect();
        difference(activities, expected, "the activities")
    }

    fn record_difference(&self, object: &str, expected: &[Value]) -> Option<String> {
        let records = self.records(object).iter().map(pawl_engine::Record::view).collect();
        difference(records, expected, &format!("the records of {object}"))
    }

    fn call_difference(&self, expected: &[ExpectedCall]) -> Option<String> {
        let calls = self.http.calls();
        let fits = |(expected, call): (&ExpectedCall, _)| expected.fits(call);
        if calls.len() == expected.len() && expected.iter().zip(&calls).all(fits) {
            return None;
        }
        let expected = expected.iter().map(|call| format!("\n  - {}", call.told()));
        let found = calls.iter().map(|call| {
            let body = call.body.as_deref().unwrap_or_default();
            format!("\n  + {} {} {body}", call.method, call.url)
        });
        let lines: String = expected.chain(found).collect();
        Some(format!("the calls differ (- expected, + made):{lines}"))
    }
}

impl World {
    fn cloud_difference(&self, expected: &[Value]) -> Option<String> {
        let calls: Vec<_> = self.cloud.calls().iter().map(CloudCall::input).collect();
        let fits = |(expected, call): (&Value, &Value)| fits_cloud(call, expected);
        if calls.len() == expected.len() && expected.iter().zip(&calls).all(fits) {
            return None;
        }
        let expected = expected.iter().map(|call| format!("\n  - {call}"));
        let found = calls.iter().map(|call| format!("\n  + {call}"));
        let lines: String = expected.chain(found).collect();
        Some(format!("the calls of services of the cloud differ (- expected, + made):{lines}"))
    }

    fn machine_difference(&self, expected: &[ExpectedMachine]) -> Option<String> {
        let starts = self.state_machines.starts();
        let fits = |(expected, start): (&ExpectedMachine, &StartStateMachine)| {
            expected.machine.as_ref().is_none_or(|machine| fits_pattern(machine, &start.machine))
                && expected.input.as_ref().is_none_or(|input| contains(&start.input, input))
        };
        if starts.len() == expected.len() && expected.iter().zip(&starts).all(fits) {
            return None;
        }
        let expected = expected.iter().map(|expected| {
            let machine = expected.machine.as_deref().unwrap_or("any state machine");
            format!("\n  - {machine} {}", expected.input.as_ref().map(Value::to_string).unwrap_or_default())
        });
        let found = starts.iter().map(|start| format!("\n  + {} {}", start.machine, start.input));
        let lines: String = expected.chain(found).collect();
        Some(format!("the state machines differ (- expected, + started):{lines}"))
    }
}

/// What differs of values of which each expected one is a part of one that was found.
fn difference(mut left: Vec<Value>, expected: &[Value], what: &str) -> Option<String> {
    let mut missing = Vec::new();
    for record in expected {
        match left.iter().position(|found| is_record(found, record)) {
            Some(at) => drop(left.remove(at)),
            None => missing.push(record),
        }
    }
    if missing.is_empty() && left.is_empty() {
        return None;
    }
    let missing = missing.iter().map(|record| format!("\n  - {record}"));
    let left = left.iter().map(|record| format!("\n  + {}", shown(record)));
    let lines: String = missing.chain(left).collect();
    Some(format!("{what} differ (- expected, + found):{lines}"))
}

/// Whether a call of a service of the cloud, as history shows it, has what is expected of it. In the name of a queue, topic or
/// function `*` stands for any text.
pub(crate) fn fits_cloud(call: &Value, expected: &Value) -> bool {
    expected.as_object().is_some_and(|keys| {
        keys.iter().all(|(key, value)| match (key.as_str(), value.as_str(), call[key].as_str()) {
            ("queue" | "topic" | "function" | "source" | "detail_type", Some(pattern), Some(name)) => {
                fits_pattern(pattern, name)
            }
            _ => call.get(key).is_some_and(|found| contains(found, value)),
        })
    })
}

/// Whether a record is the expected one. `archived_at: "*"` stands for any time.
fn is_record(found: &Value, expected: &Value) -> bool {
    let mut expected = expected.clone();
    let key = expected.get_mut(ARCHIVED_AT).filter(|key| **key == "*");
    match (key, &found[ARCHIVED_AT]) {
        (Some(_), Value::Null) => return false,
        (Some(key), at) => *key = at.clone(),
        (None, _) => {}
    }
    contains(found, &expected)
}

/// A record without what every record has, but its id.
fn shown(record: &Value) -> Value {
    let keys = record.as_object().into_iter().flatten();
    let is_own = |key: &str| !matches!(key, "object" | "created_at" | "updated_at");
    let is_given = |key: &str| Object::GIVEN.contains(&key) || key == ARCHIVED_AT;
    let own = keys.filter(|(key, value)| is_own(key) && !(is_given(key) && is_blank(value)));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl World {
    /// What differs of the lanes of an execution.
    fn lanes_difference(&self, of: &str, expected: &BTreeMap<String, ExpectedExecution>) -> Vec<String> {
        let mut found = Vec::new();
        for (lane, expected) in expected {
            match self.lane(of, lane) {
                Some(execution) => {
                    let differences = self.execution_differences(expected, &self.trace(&execution.id));
                    found.extend(differences.into_iter().map(|difference| format!("lane {lane}: {difference}")));
                }
                None => found.push(format!("expected that the lane {lane} begins, found none")),
            }
        }
        found
    }

    /// The last execution of a part of an execution: of a lane by `step.lane`, of an item by `step[index]`.
    pub fn lane(&self, of: &str, lane: &str) -> Option<Execution> {
        let is = |execution: &Execution| {
            let parent = execution.parent.as_ref().is_some_and(|parent| parent.by.execution == of);
            parent && execution.region.as_ref().is_some_and(|region| region.is_called(lane))
        };
        self.executions().into_iter().rev().find(is)
    }

    fn execution_differences(&self, expected: &ExpectedExecution, trace: &Trace) -> Vec<String> {
        let mut found = execution_differences(expected, trace);
        found.extend(self.lanes_difference(&trace.execution.id, &expected.lanes));
        found
    }

    fn differences_of_each(&self, expected: &[&ExpectedExecution], traces: &[Trace]) -> Vec<String> {
        let all = traces.len();
        let each = expected.iter().zip(traces).enumerate().flat_map(|(at, (expected, trace))| {
            let number = if all > 1 { format!("execution {} of {all}: ", at + 1) } else { String::new() };
            let told = move |difference| format!("{number}{difference}");
            self.execution_differences(expected, trace).into_iter().map(told)
        });
        each.collect()
    }
}

fn execution_differences(expected: &ExpectedExecution, trace: &Trace) -> Vec<String> {
    let mut found = Vec::new();
    let execution = &trace.execution;
    if let Some(path) = &expected.path {
        found.extend(path_difference(path, trace));
    }
    let outcome = execution.outcome.map_or("none", OutcomeStatus::as_str);
    if let Some(wanted) = expected.outcome.as_deref().filter(|wanted| *wanted != outcome) {
        let why =
            trace.rows.last().and_then(|row| row.note.as_deref()).map_or(String::new(), |note| format!(" ({note})"));
        found.push(format!("expected the outcome {wanted}, found {outcome}{why}"));
    }
    if let Some(status) = expected.status.as_deref().filter(|status| *status != execution.status.as_str()) {
        let why = execution.error.as_ref().map(|error| format!(" ({}: {})", error.code, error.message));
        let why = why.or_else(|| execution.pause.as_ref()?.note.as_ref().map(|note| format!(" ({note})")));
        let cursor = execution.cursor.as_ref().map(|step| format!(" at {step}")).unwrap_or_default();
        found.push(format!(
            "expected the status {status}, found {}{cursor}{}",
            execution.status,
            why.unwrap_or_default()
        ));
    }
    let code = execution.error.as_ref().map(|error| error.code.as_str());
    if let Some(error) = expected.error.as_deref().filter(|error| Some(*error) != code) {
        found.push(format!("expected the error {error}, found {}", code.unwrap_or("none")));
    }
    for (name, value) in &expected.output {
        let is = execution.output.get(name).unwrap_or(&Value::Null);
        if !contains(is, value) {
            found.push(format!("expected the result {name} to be {value}, found {is}"));
        }
    }
    for (name, value) in &expected.variables {
        let is = execution.variables.get(name).unwrap_or(&Value::Null);
        if !contains(is, value) {
            found.push(format!("expected the variable {name} to be {value}, found {is}"));
        }
    }
    if let Some(steps) = &expected.failed_steps {
        let is: Vec<_> = execution.failed_steps.iter().cloned().collect();
        let mut steps = steps.clone();
        steps.sort();
        if is != steps {
            found.push(format!("expected the failed steps {steps:?}, found {is:?}"));
        }
    }
    found
}

impl ExpectedCall {
    fn fits(&self, call: &pawl_runtime::ports::HttpRequest) -> bool {
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&call.method))
            && self.url.as_ref().is_none_or(|url| is_url(url, &call.url))
            && self.headers.iter().all(|(name, value)| call.headers.get(&name.to_lowercase()) == Some(value))
            && self.body.as_ref().is_none_or(|expected| fits_body(expected, call))
    }

    fn told(&self) -> String {
        let method = self.method.as_deref().unwrap_or("any method");
        let url = self.url.as_deref().unwrap_or("any URL");
        let body = self.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
        format!("{method} {url}{body}")
    }
}

/// Whether a value holds what is expected of it: of objects the keys that are named, of lists every item; all else must
/// be equal. An expected null, or empty list, is also met by an absent key.
pub(crate) fn contains(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, value)| contains(found.get(key).unwrap_or(&Value::Null), value))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| contains(found, expected))
        }
        (Value::Null, Value::Array(expected)) => expected.is_empty(),
        _ => value::equal(found, expected),
    }
}
