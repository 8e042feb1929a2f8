//! The launch checklist: section 12 of the language.

mod guard;
mod loops;

use serde::Serialize;

use crate::step::Waiting;
use crate::{Failure, Notify, Step, Workflow};

/// How one item of the checklist stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecklistStatus {
    /// Met.
    Pass,
    /// Not met.
    Fail,
    /// Nothing in the workflow that it is about.
    NotApplicable,
}

/// One item of the launch checklist; an item about steps comes once for every step that fails it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChecklistItem {
    /// Stable code. Stored, do not rename.
    pub code: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// How it stands.
    pub status: ChecklistStatus,
    /// Why, or what to do.
    pub detail: String,
    /// The step it is about.
    pub step: Option<String>,
}

/// Holds a workflow against the launch checklist.
///
/// - `owner`: someone answers for it.
/// - `outcome`: a `goal`, or a `stop` with a reason, says what it is to reach.
/// - `model_output`: every model step declares its `output`.
/// - `guarded_action`: between a model step and a `run_state_machine`, or an `http_request` that changes something (any
///   method but GET, HEAD and OPTIONS), stands a condition or switch on the model's answer, or a `low_confidence` path
///   that leads away.
/// - `failure_path`: every step with effects outside has an `on_failure`, its own or the workflow's.
/// - `wait_timeout`: every goal, and every state machine that is waited for, has a `timeout`, and not `never`.
/// - `tools_bounded`: agents' tools; there are none in this version.
/// - `escalation`: a failure reaches a person: the workflow does not say `notify: none`, or every step that does has
///   steps to follow.
/// - `loops_bounded`: between the target of a backward `go_to` and itself stands a wait or a decision.
/// - `cases`: it has test cases.
pub fn checklist(workflow: &Workflow, has_cases: bool) -> Vec<ChecklistItem> {
    let steps = workflow.all_steps();
    let mut items = vec![owner(workflow), outcome(workflow, &steps)];
    items.extend(each("model_output", "Every model step has a declared output", &steps, model_output));
    items.extend(guard::check(workflow));
    items.extend(each("failure_path", "Every external call has a failure path", &steps, |step| {
        failure_path(step, workflow)
    }));
    items.extend(each("wait_timeout", "Every wait has a time-out", &steps, wait_timeout));
    items.push(item(
        "tools_bounded",
        "Tools and their arguments are bounded",
        ChecklistStatus::NotApplicable,
        "no step uses tools",
    ));
    items.extend(escalation(workflow, &steps));
    items.extend(loops::check(workflow, &steps));
    items.push(cases(has_cases));
    items
}

fn item(code: &'static str, title: &'static str, status: ChecklistStatus, detail: impl Into<String>) -> ChecklistItem {
    ChecklistItem { code, title, status, detail: detail.into(), step: None }
}

/// What is wrong with each step that an item is about; `None` for a step that it is not about.
fn each<'a>(
    code: &'static str,
    title: &'static str,
    steps: &[&'a Step],
    verdict: impl Fn(&'a Step) -> Option<Result<(), String>>,
) -> Vec<ChecklistItem> {
    let verdicts: Vec<_> = steps.iter().filter_map(|step| Some((*step, verdict(step)?))).collect();
    if verdicts.is_empty() {
        return vec![item(code, title, ChecklistStatus::NotApplicable, "no step that it is about")];
    }
    let failing = |(step, verdict): &(&Step, Result<(), String>)| {
        let detail = verdict.as_ref().err()?.clone();
        Some(ChecklistItem { step: Some(step.id.clone()), ..item(code, title, ChecklistStatus::Fail, detail) })
    };
    let failures: Vec<_> = verdicts.iter().filter_map(failing).collect();
    if failures.is_empty() {
        let detail = if verdicts.len() == 1 { "1 step".to_owned() } else { format!("{} steps", verdicts.len()) };
        return vec![item(code, title, ChecklistStatus::Pass, detail)];
    }
    failures
}

fn owner(workflow: &Workflow) -> ChecklistItem {
    let status = if workflow.owner.trim().is_empty() { ChecklistStatus::Fail } else { ChecklistStatus::Pass };
    item("owner", "It has an owner", status, workflow.owner.clone())
}

fn outcome(workflow: &Workflow, steps: &[&Step]) -> ChecklistItem {
    let title = "It has a named outcome";
    if let Some(outcome) = &workflow.outcome {
        return item("outcome", title, ChecklistStatus::Pass, format!("{:?}, by `outcome.reached`", outcome.name));
    }
    let named = steps.iter().find(|step| step.kind.shape().names_outcome());
    let Some(step) = named else {
        let detail = "say `outcome: {name, reached}`, add a `goal`, or end with a `stop` that gives a `reason`";
        return item("outcome", title, ChecklistStatus::Fail, detail);
    };
    let detail = format!("{:?} names it", step.id);
    ChecklistItem { step: Some(step.id.clone()), ..item("outcome", title, ChecklistStatus::Pass, detail) }
}

fn model_output(step: &Step) -> Option<Result<(), String>> {
    let model = step.kind.shape().asks_model()?;
    Some(model.declares_output.then_some(()).ok_or_else(|| "declare its answer by `output: {fields: …}`".to_owned()))
}

fn failure_path(step: &Step, workflow: &Workflow) -> Option<Result<(), String>> {
    if !step.kind.reaches_outside() {
        return None;
    }
    let written = step.on_failure.is_some() || workflow.on_failure.is_some();
    Some(if written {
        Ok(())
    } else {
        Err("say what happens when it fails: `on_failure`, here or for the whole workflow".to_owned())
    })
}

fn wait_timeout(step: &Step) -> Option<Result<(), String>> {
    let Some(Waiting::Others { bounded_by }) = step.kind.shape().waits() else { return None };
    let literal = step.timeout.as_ref().map(|timeout| timeout.source().as_str().unwrap_or_default());
    Some(match literal {
        None => Err(format!("it waits for ever: {bounded_by}")),
        Some("never") => Err("it waits for ever: `timeout: never`".to_owned()),
        Some(_) => Ok(()),
    })
}

fn escalation(workflow: &Workflow, steps: &[&Step]) -> Vec<ChecklistItem> {
    let (code, title) = ("escalation", "An escalation path exists");
    let silent = |policy: Option<&Failure>| policy.and_then(|policy| policy.notify.as_ref()) == Some(&Notify::None);
    if silent(workflow.on_failure.as_ref()) {
        let detail = "failures reach no person: `on_failure.notify` of the workflow is none";
        return vec![item(code, title, ChecklistStatus::Fail, detail)];
    }
    let untold = |step: &&&Step| silent(step.on_failure.as_ref()) && step.failure_steps().is_none();
    let failures: Vec<_> = steps
        .iter()
        .filter(untold)
        .map(|step| ChecklistItem {
            step: Some(step.id.clone()),
            ..item(
                code,
                title,
                ChecklistStatus::Fail,
                "its failure reaches no person: `notify: none`, and no steps follow",
            )
        })
        .collect();
    if failures.is_empty() {
        vec![item(code, title, ChecklistStatus::Pass, "failures are told to the owner")]
    } else {
        failures
    }
}

fn cases(has_cases: bool) -> ChecklistItem {
    let title = "It has test cases";
    if has_cases {
        item("cases", title, ChecklistStatus::Pass, "run them by `pawl test`")
    } else {
        item("cases", title, ChecklistStatus::Fail, "add a `*.cases.yaml` file beside it")
    }
}
