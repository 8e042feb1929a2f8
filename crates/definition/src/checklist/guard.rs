//! Actions after a model step: a look at its answer must stand before them.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChecklistItem, ChecklistStatus, item};
use crate::step::{CallLlm, FieldChange, FieldTest, StopAs};
use crate::{Step, StepKind, Template, Workflow};

const CODE: &str = "guarded_action";
const TITLE: &str = "Every outside action after a model step has a check before it";

/// A way to name a value: `steps.ask`, `vars.answer`, `record.kind`.
type Name = Vec<String>;

/// Model steps whose answer nothing has looked at yet.
type Unchecked = BTreeSet<String>;

pub(super) fn check(workflow: &Workflow) -> Vec<ChecklistItem> {
    let steps = workflow.all_steps();
    let mut walk = Walk { names: names(&steps), models: false, actions: 0, failures: Vec::new() };
    walk.steps(&workflow.steps, &mut Unchecked::new());
    if !walk.failures.is_empty() {
        return walk.failures;
    }
    match walk.actions {
        0 => vec![item(CODE, TITLE, ChecklistStatus::NotApplicable, "no outside action follows a model step")],
        _ => vec![item(CODE, TITLE, ChecklistStatus::Pass, "a condition on the answer stands before each")],
    }
}

/// Every way to name the answer of each model step, and what is computed from it, on whatever path.
fn names(steps: &[&Step]) -> BTreeMap<String, BTreeSet<Name>> {
    let models = steps.iter().filter(|step| matches!(step.kind, StepKind::CallLlm(_)));
    models.map(|step| (step.id.clone(), names_of(step, steps))).collect()
}

fn names_of(model: &Step, steps: &[&Step]) -> BTreeSet<Name> {
    let name = |root: &str, name: &str| vec![root.to_owned(), name.to_owned()];
    let mut names = BTreeSet::from([name("steps", &model.id)]);
    names.extend(model.save_as.iter().map(|saved| name("vars", saved)));
    loop {
        let before = names.len();
        for step in steps {
            let computed = |value: &Template| reads(&value.reads(), &names);
            let new: Vec<_> = match &step.kind {
                StepKind::SetVariables(set) => {
                    let taken = set.values.iter().filter(|(_, value)| computed(value)).map(|(to, _)| name("vars", to));
                    let output = set.values.values().any(computed).then(|| name("steps", &step.id));
                    taken.chain(output).collect()
                }
                StepKind::SetFields(set) if set.target.is_none() => {
                    let computed =
                        |change: &FieldChange| [&change.set, &change.add].into_iter().flatten().any(computed);
                    set.fields.iter().filter(|(_, change)| computed(change)).map(|(to, _)| name("record", to)).collect()
                }
                StepKind::FindRecords(find) => {
                    let operands = |test: &FieldTest| test.equals.iter().chain(&test.r#in).any(computed);
                    let found = find.tests.values().any(operands);
                    let saved = step.save_as.iter().map(|saved| name("vars", saved));
                    saved.chain([name("steps", &step.id)]).filter(|_| found).collect()
                }
                _ => Vec::new(),
            };
            names.extend(new);
        }
        if names.len() == before {
            return names;
        }
    }
}

/// Whether one of the paths that an expression reads begins with one of the names.
fn reads(paths: &BTreeSet<Name>, names: &BTreeSet<Name>) -> bool {
    paths.iter().any(|path| names.iter().any(|name| path.starts_with(name)))
}

struct Walk {
    /// The ways to name what comes from each model step.
    names: BTreeMap<String, BTreeSet<Name>>,
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
            _ => {}
        }
        let looked_at = match &step.kind {
            StepKind::Condition(condition) => Some(condition.r#if.reads()),
            StepKind::Switch(switch) => Some(switch.on.reads()),
            _ => None,
        };
        let mut after = unchecked.clone();
        let mut inside = unchecked.clone();
        if let Some(paths) = looked_at {
            let unseen = |model: &String| self.names.get(model).is_none_or(|names| !reads(paths, names));
            inside.retain(unseen);
            // A check holds beyond its branches if one of them leads away.
            if step.branches().iter().any(|branch| leaves(branch.steps)) {
                after.retain(unseen);
            }
        }
        for branch in step.branches() {
            let mut own = inside.clone();
            self.steps(branch.steps, &mut own);
            if !leaves(branch.steps) {
                after.extend(own.into_iter().filter(|id| !unchecked.contains(id)));
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
        unchecked.insert(step.id.clone());
    }

    fn action(&mut self, step: &Step, what: &str, unchecked: &Unchecked) {
        self.actions += usize::from(self.models);
        if let Some(model) = unchecked.first() {
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
