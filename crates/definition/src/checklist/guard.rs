//! Actions after a model step: a look at its answer must stand before them.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChecklistItem, ChecklistStatus, item};
use crate::step::{CallLlm, StopAs};
use crate::{Step, StepKind, Workflow};

const CODE: &str = "guarded_action";
const TITLE: &str = "Every outside action after a model step has a check before it";

/// Model steps whose answer nothing has looked at yet, with the ways to name the answer.
type Unchecked = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(workflow: &Workflow) -> Vec<ChecklistItem> {
    let mut walk = Walk::default();
    walk.steps(&workflow.steps, &mut Unchecked::new());
    if !walk.failures.is_empty() {
        return walk.failures;
    }
    match walk.actions {
        0 => vec![item(CODE, TITLE, ChecklistStatus::NotApplicable, "no outside action follows a model step")],
        _ => vec![item(CODE, TITLE, ChecklistStatus::Pass, "a condition on the answer stands before each")],
    }
}

#[derive(Default)]
struct Walk {
    /// A model step was met.
    models: bool,
    /// Actions after model steps.
    actions: usize,
    failures: Vec<ChecklistItem>,
}

impl Walk {
    /// Walks steps one after the other; `unchecked` then holds what is unchecked after them.
    fn steps(&mut self, steps: &[Step], unchecked: &mut Unchecked) {
        for step in steps {
            self.step(step, unchecked);
        }
    }

    fn step(&mut self, step: &Step, unchecked: &mut Unchecked) {
        match &step.kind {
            StepKind::HttpRequest(request) if !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") => {
                self.action(step, "request", unchecked);
            }
            StepKind::RunStateMachine(_) => self.action(step, "state machine", unchecked),
            StepKind::SetVariables(set) => {
                let values = set.values.iter().map(|(name, value)| (name, value.source().to_string()));
                for (name, text) in values {
                    for names in unchecked.values_mut().filter(|names| mentions(&text, names)) {
                        names.insert(format!("vars.{name}"));
                    }
                }
            }
            _ => {}
        }
        let looked_at = match &step.kind {
            StepKind::Condition(condition) => Some(condition.r#if.source()),
            StepKind::Switch(switch) => Some(switch.on.source()),
            _ => None,
        };
        let mut after = unchecked.clone();
        let mut inside = unchecked.clone();
        if let Some(text) = looked_at {
            inside.retain(|_, names| !mentions(text, names));
            // A check holds beyond its branches if one of them leads away.
            if step.branches().iter().any(|branch| leaves(branch.steps)) {
                after.retain(|_, names| !mentions(text, names));
            }
        }
        for branch in step.branches() {
            let mut own = inside.clone();
            self.steps(branch.steps, &mut own);
            if !leaves(branch.steps) {
                after.extend(own.into_iter().filter(|(id, _)| !unchecked.contains_key(id)));
            }
        }
        *unchecked = after;
        if let StepKind::CallLlm(model) = &step.kind {
            self.model(step, model, unchecked);
        }
    }

    fn model(&mut self, step: &Step, model: &CallLlm, unchecked: &mut Unchecked) {
        self.models = true;
        if model.min_confidence.is_some() && leaves(&model.low_confidence) {
            return;
        }
        let mut names = BTreeSet::from([
            format!("steps.{}", step.id),
            format!("steps[{:?}]", step.id),
            format!("steps['{}']", step.id),
        ]);
        names.extend(step.save_as.as_ref().map(|name| format!("vars.{name}")));
        unchecked.insert(step.id.clone(), names);
    }

    fn action(&mut self, step: &Step, what: &str, unchecked: &Unchecked) {
        self.actions += usize::from(self.models);
        if let Some(model) = unchecked.keys().next() {
            let detail = format!(
                "nothing looks at the answer of {model:?} before this {what}: put it in a condition on that answer"
            );
            self.failures.push(ChecklistItem {
                step: Some(step.id.clone()),
                ..item(CODE, TITLE, ChecklistStatus::Fail, detail)
            });
        }
    }
}

/// Whether steps never go on to what follows them.
fn leaves(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.kind {
        _ if step.skip => false,
        StepKind::GoTo(_) => true,
        StepKind::Stop(stop) => stop.r#as != StopAs::Paused,
        kind => kind.shape().decides() && kind.shape().branches().iter().all(|branch| leaves(branch.steps)),
    })
}

/// Whether a text has one of the names, not as the beginning of a longer one.
fn mentions(text: &str, names: &BTreeSet<String>) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    names
        .iter()
        .any(|name| text.match_indices(name.as_str()).any(|(at, found)| !text[at + found.len()..].starts_with(word)))
}
