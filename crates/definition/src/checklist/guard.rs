//! Actions after a model step: a look at its answer must stand before them.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChecklistItem, ChecklistStatus, item};
use crate::step::{Carried, Onward};
use crate::{Step, Template, Workflow};

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
        _ => vec![item(CODE, TITLE, ChecklistStatus::Pass, "a condition on the answer precedes each")],
    }
}

/// Every way to name the answer of each model step, and what is computed from it, on whatever path.
fn names(steps: &[&Step]) -> BTreeMap<String, BTreeSet<Name>> {
    let models = steps.iter().filter(|step| step.kind.shape().asks_model().is_some());
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
            let Carried { variables, fields, output } = step.kind.shape().carries(&computed);
            let saved = step.save_as.iter().map(|saved| name("vars", saved)).chain([name("steps", &step.id)]);
            let new = variables.into_iter().map(|to| name("vars", to));
            let new = new.chain(fields.into_iter().map(|to| name("record", to))).chain(saved.filter(|_| output));
            let new: Vec<_> = new.collect();
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
        let shape = step.kind.shape();
        if let Some(noun) = step.kind.facts().outside.filter(|_| shape.acts_outside()) {
            self.action(step, noun, unchecked);
        }
        let looked_at = shape.decides_by();
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
        if let Some(model) = shape.asks_model() {
            self.models = true;
            if !model.doubtful.is_some_and(leaves) {
                unchecked.insert(step.id.clone());
            }
        }
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
    steps.iter().any(|step| {
        let shape = step.kind.shape();
        match shape.onward() {
            _ if step.skip => false,
            // What follows the step that a region belongs to follows its end.
            Onward::Nowhere if shape.ends_region().is_some() => false,
            Onward::Jump(_) | Onward::Nowhere => true,
            Onward::Next | Onward::Resumed => {
                shape.decides() && shape.branches().iter().all(|branch| leaves(branch.steps))
            }
        }
    })
}
