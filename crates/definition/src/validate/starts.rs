//! What several workflows say of each other: a step starts a workflow that is there, with values that it takes, or controls
//! executions of one that may run on the record; a trigger waits for the end of one that is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::facts::field_type;
use super::found::StepSite;
use super::report::Report;
use super::walk::Walker;
use super::{literal, typed, words};
use crate::path::Path;
use crate::problem::code;
use crate::step::{NamedWorkflow, RunsOn};
use crate::{Concurrency, Object, Problem, SlotHold, Source, Template, Variable, Workflow};

/// Checks that the workflows which a workflow's steps name are there and take the values that they are given.
///
/// `workflows` are those beside it, by id; `broken` are those that are not right, of which nothing is known.
pub fn check_starts(
    source: &Source,
    workflow: &Workflow,
    workflows: &BTreeMap<String, Workflow>,
    (objects, broken): (&BTreeMap<String, Object>, &BTreeSet<String>),
) -> Vec<Problem> {
    let source = &source.for_workflow(objects);
    // What the walk itself tells was told before.
    let mut first_look = Report::new(source);
    let mut walker = Walker::new(&mut first_look);
    walker.value(&walker.shapes.workflow, &source.value, &Path::root());
    let found = walker.found;
    let mut starts = Starts { report: Report::new(source), workflow, workflows, broken };
    for site in &found.steps {
        let Some(kind) = typed::step_kind(site, &first_look) else { continue };
        for named in kind.shape().workflows() {
            starts.named(site, &named);
        }
    }
    for site in &found.triggers {
        let Some(kind) = typed::trigger_kind(site, &first_look) else { continue };
        for (place, id) in kind.shape().workflows() {
            starts.awaited(id, &below(&site.path, &place));
        }
    }
    starts.report.into_problems()
}

struct Starts<'a> {
    report: Report<'a>,
    workflow: &'a Workflow,
    workflows: &'a BTreeMap<String, Workflow>,
    broken: &'a BTreeSet<String>,
}

impl Starts<'_> {
    fn named(&mut self, site: &StepSite<'_>, named: &NamedWorkflow<'_>) {
        let path = below(&site.path, &named.place);
        let target = if named.id == self.workflow.id { Some(self.workflow) } else { self.workflows.get(named.id) };
        let Some(target) = target else {
            if !self.broken.contains(named.id) {
                self.unknown(named.id, &path);
            }
            return;
        };
        if let Some(on) = named.controlled_on(self.workflow.object.is_none()) {
            self.runs_elsewhere(target, on, &path);
            return;
        }
        if named.waits && target.id == self.workflow.id {
            self.waits_for_itself(target, &path);
        }
        if let Some(values) = named.values {
            self.values(target, values, &below(&site.path, &named.values_place), &path);
        }
    }

    /// A trigger waits for the end of executions of a workflow.
    fn awaited(&mut self, id: &str, path: &Path) {
        let Some(target) = self.workflows.get(id) else {
            if id != self.workflow.id && !self.broken.contains(id) {
                self.unknown(id, path);
            }
            return;
        };
        let Some(own) = &self.workflow.object else { return };
        let theirs = match &target.object {
            Some(theirs) if theirs == own => return,
            Some(theirs) => format!("on records of {theirs:?}"),
            None => "on no record".to_owned(),
        };
        let message =
            format!("this trigger never fires: {id:?} runs {theirs}, and this workflow on records of {own:?}");
        self.report.warning(code::SUSPICIOUS, path, message);
    }

    fn unknown(&mut self, id: &str, path: &Path) {
        let own = std::iter::once(self.workflow.id.as_str());
        let known: BTreeSet<_> = self.workflows.keys().map(String::as_str).chain(own).collect();
        let there = words::all_of(known.iter().copied());
        let message = format!("expected a workflow that exists, found {}; there are {there}", words::quoted(id));
        let near = words::did_you_mean(id, known.iter().copied());
        self.report.error(code::UNKNOWN_WORKFLOW, path, message).suggest(near);
    }

    /// Executions that are to be controlled run on other records, so that none is ever found.
    fn runs_elsewhere(&mut self, target: &Workflow, on: RunsOn, path: &Path) {
        let id = &target.id;
        let message = match (on, &target.object, &self.workflow.object) {
            (RunsOn::Own, None, _) => {
                format!("workflow {id:?} runs on no record, and so never on this one: say `on: none`")
            }
            (RunsOn::Own, Some(theirs), Some(own)) if theirs != own => {
                format!("workflow {id:?} runs on records of {theirs:?}, and so never on this record of {own:?}")
            }
            (RunsOn::None, Some(theirs), _) => {
                format!("workflow {id:?} runs on records of {theirs:?}, and so never on no record: say which by `on`")
            }
            (RunsOn::Given, None, _) => format!("workflow {id:?} runs on no record: say `on: none`"),
            _ => return,
        };
        self.report.warning(code::SUSPICIOUS, path, message);
    }

    /// A start of itself that is waited for ends by the limits; with limited concurrency it never does.
    fn waits_for_itself(&mut self, target: &Workflow, path: &Path) {
        // With a key, the other execution may be one of another key, and one that runs no more gives its slot back.
        let holds_all = |limit: &Concurrency| limit.per.is_none() && limit.hold == SlotHold::Open;
        if target.limits.concurrency.as_ref().is_some_and(holds_all) {
            let message =
                "expected another workflow, found this one: it would wait for an execution that waits for its slot";
            self.report.error(code::NOT_ALLOWED, path, message);
            return;
        }
        let message = "the workflow starts itself and waits: only `limits.self` and `limits.depth` end that";
        self.report.warning(code::SUSPICIOUS, path, message);
    }

    fn values(&mut self, target: &Workflow, values: &BTreeMap<String, Template>, at: &Path, named: &Path) {
        for (name, given) in values {
            let path = at.key(name);
            let Some(variable) = target.variables.iter().find(|variable| variable.name == *name) else {
                let known = || target.variables.iter().map(|variable| variable.name.as_str());
                let message =
                    format!("workflow {:?} has no variable {name:?}; it has {}", target.id, words::all_of(known()));
                let near = words::did_you_mean(name, known());
                self.report.error_at_key(code::UNKNOWN_VARIABLE, &path, message).suggest(near);
                continue;
            };
            if let Some(value) = given.literal() {
                self.value(variable, value, &path);
            }
        }
        let is_given = |variable: &&Variable| {
            !variable.required
                || !variable.from.is_empty()
                || variable.default.is_some()
                || values.contains_key(&variable.name)
        };
        for variable in target.variables.iter().filter(|variable| !is_given(variable)) {
            let message = format!("missing value {:?}: workflow {:?} requires it", variable.name, target.id);
            self.report.error(code::MISSING_KEY, named, message);
        }
    }

    fn value(&mut self, variable: &Variable, value: &Value, path: &Path) {
        let kind = field_type(variable.kind);
        let values = match value {
            Value::Array(values) if variable.many => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        if let Some(wrong) = values.iter().find(|value| !literal::takes(kind, &[], value)) {
            let message = format!("expected {}, found {}", literal::expected(kind, &[]), words::found(wrong));
            self.report.error(code::INVALID_VALUE, path, message);
        }
    }
}

/// A place below a step.
fn below(step: &Path, place: &str) -> Path {
    let inside = Path::parse(place).expect("a type gives a place");
    Path::of(step.segments().iter().chain(inside.segments()).cloned().collect())
}
