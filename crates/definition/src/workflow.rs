//! A workflow: section 1 of the language.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde::Deserialize;

use crate::describe::JsonSchema;
use crate::step::looked_up;
use crate::trigger::Webhook;
use crate::{Duration, Expression, Failure, Limits, Outcome, Step, Trigger, Variable, WorkflowCalendar};

/// The shortest retention. While an execution is there, its event starts it no second time. A sender repeats a delivery for
/// up to three days, and an event waits in a queue of SQS for up to four.
pub const RETENTION_LEAST: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Whether a save reaches executions in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edits {
    /// It does.
    #[default]
    Live,
    /// An execution keeps the revision it began with.
    Pinned,
}

/// Which queue its jobs take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// The normal queue.
    #[default]
    Normal,
    /// The queue that is served first.
    High,
}

/// One workflow, as written in a `*.workflow.yaml` file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// Id, `[a-z0-9-]{1,64}`.
    #[serde(rename = "workflow")]
    #[schemars(regex(pattern = r"^[a-z0-9-]{1,64}$"))]
    pub id: String,
    /// Name for people; the id if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Labels for people.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The address that answers for it and gets failure notices.
    pub owner: String,
    /// Record type that it runs against; absent means global.
    #[serde(default)]
    pub object: Option<String>,
    /// Triggers listen only while true.
    #[serde(default)]
    pub active: bool,
    /// Whether a save applies to executions in flight.
    #[serde(default)]
    pub edits: Edits,
    /// IANA time zone for dates and business days; UTC if absent.
    #[serde(default)]
    pub timezone: Option<String>,
    /// Business days: the id of a calendar, or a list of holidays beside Saturdays and Sundays.
    #[serde(default)]
    pub calendar: WorkflowCalendar,
    /// Queue.
    #[serde(default)]
    pub priority: Priority,
    /// How long an execution is kept after its end, at least 7 days; absent, as the installation says.
    #[serde(default)]
    pub retention: Option<Duration>,
    /// Default failure policy of its steps.
    #[serde(default)]
    pub on_failure: Option<Failure>,
    /// Limits and safeguards.
    #[serde(default)]
    pub limits: Limits,
    /// What starts it; `manual` is always present.
    #[serde(default)]
    pub triggers: Vec<Trigger>,
    /// Variables, evaluated top to bottom at start.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// What it is for, and when an execution has reached that.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Its result for whoever waits for it, by name: expressions that are evaluated when an execution completes.
    #[serde(default)]
    pub output: BTreeMap<String, Expression>,
}

/// A webhook of a workflow.
#[derive(Debug, Clone, Copy)]
pub struct Hook<'a> {
    /// The trigger: its id ends the address.
    pub trigger: &'a Trigger,
    /// Its settings.
    pub webhook: &'a Webhook,
    /// The goal that waits for it; `None` if it starts executions.
    pub goal: Option<&'a str>,
}

impl Workflow {
    /// Its name for people.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Finds a step at any depth.
    pub fn step(&self, id: &str) -> Option<&Step> {
        fn find<'a>(steps: &'a [Step], id: &str) -> Option<&'a Step> {
            steps.iter().find_map(|step| {
                if step.id == id {
                    Some(step)
                } else {
                    step.branches().into_iter().find_map(|branch| find(branch.steps, id))
                }
            })
        }
        find(&self.steps, id).or_else(|| find(self.failure_steps(), id))
    }

    /// The steps of its default failure policy, which run after a step that failed and has no policy of its own.
    pub fn failure_steps(&self) -> &[Step] {
        self.on_failure.as_ref().and_then(Failure::steps).unwrap_or_default()
    }

    /// The webhook of an id: one of its triggers, or one that a goal waits for.
    pub fn webhook(&self, id: &str) -> Option<(&Trigger, &Webhook)> {
        let hook = self.webhooks().into_iter().find(|hook| hook.trigger.id == id)?;
        Some((hook.trigger, hook.webhook))
    }

    /// Its webhooks: those of its triggers, then those that goals wait for, in the order written.
    pub fn webhooks(&self) -> Vec<Hook<'_>> {
        let own = self.triggers.iter().map(|trigger| (trigger, None));
        let steps = self.all_steps();
        let goals = steps.into_iter().flat_map(|step| {
            let awaited = step.kind.shape().awaits().on;
            awaited.iter().map(|trigger| (trigger, Some(step.id.as_str())))
        });
        own.chain(goals)
            .filter_map(|(trigger, goal)| Some(Hook { trigger, webhook: trigger.kind.shape().webhook()?, goal }))
            .collect()
    }

    /// Whether what a step does depends on definitions that its expressions do not name.
    pub fn reads_definitions(&self) -> bool {
        self.all_steps().into_iter().any(|step| step.kind.shape().reads_definitions())
    }

    /// Whether a step, a variable or what it comes to asks for a group.
    pub fn reads_groups(&self) -> bool {
        let reached = self.outcome.iter().map(|outcome| &outcome.reached);
        let sources = self.variables.iter().flat_map(|variable| &variable.from);
        let mut bare = sources.chain(self.output.values()).chain(reached);
        let mut defaults = self.variables.iter().filter_map(|variable| variable.default.as_ref());
        self.all_steps().into_iter().any(|step| step.reads_groups)
            || bare.any(|expression| !expression.groups().is_empty())
            || defaults.any(|default| !default.groups().is_empty())
    }

    /// The objects of which a step, a variable or what it comes to looks records up; an empty one stands for all.
    pub fn looked_up(&self) -> BTreeSet<String> {
        let reached = self.outcome.iter().map(|outcome| &outcome.reached);
        let sources = self.variables.iter().flat_map(|variable| &variable.from);
        let bare = sources.chain(self.output.values()).chain(reached);
        let defaults = self.variables.iter().filter_map(|variable| variable.default.as_ref());
        let texts: Vec<_> = defaults.map(|default| default.source().to_string()).collect();
        let mut objects: BTreeSet<String> = texts.iter().flat_map(|text| looked_up(text)).collect();
        objects.extend(bare.flat_map(Expression::lookups).map(|(object, _)| object.clone()));
        objects.extend(self.all_steps().into_iter().flat_map(|step| step.looks_up.iter().cloned()));
        objects
    }

    /// Whether it counts business days by a calendar of the installation, or a step of it does.
    pub fn names_calendar(&self) -> bool {
        let steps = self.all_steps();
        let mut own = steps.into_iter().filter_map(|step| step.kind.shape().calendar());
        self.calendar.named().is_some() || own.any(|calendar| calendar.named().is_some())
    }

    /// All steps at any depth, in the order written.
    pub fn all_steps(&self) -> Vec<&Step> {
        fn collect<'a>(steps: &'a [Step], into: &mut Vec<&'a Step>) {
            for step in steps {
                into.push(step);
                for branch in step.branches() {
                    collect(branch.steps, into);
                }
            }
        }
        let mut all = Vec::new();
        collect(&self.steps, &mut all);
        collect(self.failure_steps(), &mut all);
        all
    }
}
