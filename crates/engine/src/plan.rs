//! A workflow made ready for decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use pawl_definition::{Calendar, Step, Workflow, WorkflowCalendar};

use crate::{Event, Subject};

/// A revision of a workflow with what can be worked out once: successors, time zone, business days.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The workflow.
    pub workflow: Arc<Workflow>,
    /// Its revision.
    pub revision: u64,
    /// Its time zone; UTC if it names none or an unknown one.
    pub timezone: TimeZone,
    /// Its business days, unless it names a calendar of the installation.
    pub calendar: Calendar,
    /// Whether decisions read definitions of the installation: its calendar, groups, or members.
    pub reads_definitions: bool,
    /// Objects of which decisions may look records up; an empty one stands for all.
    pub looks_up: BTreeSet<String>,
    /// Names that steps and webhooks assign: variables that are null until then.
    pub assigned: BTreeSet<String>,
    /// Names of the secrets that its steps use.
    pub secrets: BTreeSet<String>,
    successors: BTreeMap<String, Option<String>>,
}

impl Plan {
    /// Prepares a revision.
    pub fn new(workflow: Arc<Workflow>, revision: u64) -> Self {
        let mut successors = BTreeMap::new();
        link(&workflow.steps, None, &mut successors);
        link(workflow.failure_steps(), None, &mut successors);
        let timezone = workflow.timezone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let calendar = Calendar::of_holidays(match &workflow.calendar {
            WorkflowCalendar::Holidays(days) => days.iter().filter_map(|day| day.parse().ok()).collect(),
            WorkflowCalendar::Named(_) => BTreeSet::new(),
        });
        let reads_definitions = workflow.names_calendar() || workflow.reads_groups() || workflow.reads_definitions();
        let looks_up = workflow.looked_up();
        let (assigned, secrets) = (assigned(&workflow), secrets(&workflow));
        Self { workflow, revision, timezone, calendar, reads_definitions, looks_up, assigned, secrets, successors }
    }

    /// The record of an execution that begins by an event: that of the event, and none of a global workflow.
    pub fn record_of<'e>(&self, event: &'e Event) -> Option<&'e Subject> {
        self.workflow.object.as_ref().and(event.subject.as_ref())
    }

    /// Finds a step.
    pub fn step(&self, id: &str) -> Option<&Step> {
        if self.successors.contains_key(id) { self.workflow.step(id) } else { None }
    }

    /// The step that follows a step and its branches; `None` at the end of the workflow.
    pub fn successor(&self, id: &str) -> Option<&str> {
        self.successors.get(id).and_then(Option::as_deref)
    }

    /// Whether a step stands in the workflow's default failure policy, at any depth.
    pub fn follows_failures(&self, id: &str) -> bool {
        fn holds(steps: &[Step], id: &str) -> bool {
            steps.iter().any(|step| step.id == id || step.branches().iter().any(|branch| holds(branch.steps, id)))
        }
        holds(self.workflow.failure_steps(), id)
    }

    /// The first step.
    pub fn first(&self) -> Option<&str> {
        self.workflow.steps.first().map(|step| step.id.as_str())
    }
}

/// The names of all variables.
fn assigned(workflow: &Workflow) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = workflow.variables.iter().map(|variable| variable.name.clone()).collect();
    for step in workflow.all_steps() {
        names.extend(step.save_as.clone());
        names.extend(step.kind.shape().assigns().into_iter().map(|(name, _)| name.to_owned()));
    }
    for trigger in &workflow.triggers {
        names.extend(trigger.kind.shape().fills().into_iter().flat_map(|fills| fills.values.keys().cloned()));
    }
    names
}

/// The names of the secrets that steps use, at any depth.
fn secrets(workflow: &Workflow) -> BTreeSet<String> {
    workflow.all_steps().into_iter().flat_map(|step| step.kind.shape().secrets()).collect()
}

/// Records the successor of each step: its next sibling, or what follows the step it stands in.
fn link(steps: &[Step], after: Option<&str>, successors: &mut BTreeMap<String, Option<String>>) {
    for (index, step) in steps.iter().enumerate() {
        let next = steps.get(index + 1).map(|step| step.id.as_str()).or(after);
        successors.insert(step.id.clone(), next.map(str::to_owned));
        for branch in step.branches() {
            // What has an end of its own ends there.
            link(branch.steps, next.filter(|_| branch.region.is_none()), successors);
        }
    }
}
