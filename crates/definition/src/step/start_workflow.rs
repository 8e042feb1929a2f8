//! `start_workflow`: starts executions of workflows, and may wait for their ends.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{NamedWorkflow, RunsOn, Shape, Step, TypeFacts, Waiting};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::told::at_most_words;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Template, code};

/// The words of `on` that are no expression.
const OWN: &str = "record";
const NONE: &str = "none";

/// What a start may come to, and what an execution that is waited for may end as.
const STATES: [&str; 6] = ["started", "resumed", "refused", "completed", "canceled", "failed"];

/// The step `start_workflow`. Output: a list of `{workflow, execution_id, status, output, error}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartWorkflow {
    /// The workflow to start.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z0-9-]{1,64}$"))]
    pub workflow: Option<String>,
    /// Values of its variables, by name.
    #[serde(default)]
    pub values: BTreeMap<String, Template>,
    /// Several workflows to start, in place of `workflow`.
    #[serde(default)]
    pub workflows: Vec<WorkflowStart>,
    /// The records to run on: `record` for this one (the default; a global workflow runs on none), `none`, or a template
    /// that gives a record, an id, or a list of them: each.
    #[serde(default)]
    pub on: Option<Template>,
    /// Resumes the paused execution of the workflow on the record, if there is one, and starts none.
    #[serde(default)]
    pub resume_paused: bool,
    /// Waits for their ends.
    #[serde(default)]
    pub wait: bool,
}

/// A workflow to start.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowStart {
    /// The workflow.
    #[schemars(regex(pattern = r"^[a-z0-9-]{1,64}$"))]
    pub workflow: String,
    /// Values of its variables, by name.
    #[serde(default)]
    pub values: BTreeMap<String, Template>,
}

impl StartWorkflow {
    /// Each workflow with its values.
    pub fn each(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Template>)> {
        let one = self.workflow.iter().map(|id| (id.as_str(), &self.values));
        one.chain(self.workflows.iter().map(|start| (start.workflow.as_str(), &start.values)))
    }

    /// Whether they run on the record of this execution.
    pub fn runs_on_own_record(&self) -> bool {
        self.on.as_ref().is_none_or(|on| is_word(on, OWN))
    }

    /// Whether they run on no record.
    pub fn runs_on_none(&self) -> bool {
        self.on.as_ref().is_some_and(|on| is_word(on, NONE))
    }
}

fn is_word(on: &Template, word: &str) -> bool {
    on.literal().and_then(Value::as_str) == Some(word)
}

impl Shape for StartWorkflow {
    fn words(&self, step: &Step) -> String {
        let workflows = self.workflow.iter().chain(self.workflows.iter().map(|start| &start.workflow)).cloned();
        let on = match &self.on {
            Some(on) => format!(" on {}", runs_on_words(on)),
            None => String::new(),
        };
        let most = step.timeout.as_ref().map_or(String::new(), |most| format!(", {}", at_most_words(most)));
        let wait = if self.wait { format!(", and waits for the end{most}") } else { String::new() };
        format!("starts {}{on}{wait}", listed(workflows, "and"))
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["timeout"], ..TypeFacts::PLAIN }
    }

    fn waits_for_others(keys: &Map<String, Value>) -> bool {
        keys.get("wait") == Some(&Value::Bool(true))
    }

    fn waits(&self) -> Option<Waiting> {
        self.wait.then_some(Waiting::Others { bounded_by: "add a `timeout`" })
    }

    fn workflows(&self) -> Vec<NamedWorkflow<'_>> {
        let waits = self.wait;
        let one = self.workflow.iter().map(|id| NamedWorkflow {
            id,
            place: "workflow".to_owned(),
            values: Some(&self.values),
            values_place: "values".to_owned(),
            waits,
            controlled: None,
        });
        let several = self.workflows.iter().enumerate().map(|(at, start)| NamedWorkflow {
            id: &start.workflow,
            place: format!("workflows[{at}].workflow"),
            values: Some(&start.values),
            values_place: format!("workflows[{at}].values"),
            waits,
            controlled: None,
        });
        one.chain(several).collect()
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        let error = Type::open_object([("code", Type::text()), ("message", Type::text())]).or_null();
        Type::list(Type::object([
            ("workflow", Type::text()),
            ("execution_id", Type::text().or_null()),
            ("status", Type::words(STATES)),
            ("output", Type::any()),
            ("error", error),
        ]))
    }

    fn failed_output(&self, facts: &Facts<'_>) -> Type {
        if self.wait { self.output(facts) } else { Type::of(Kinds::NULL) }
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.exactly_one(&["workflow", "workflows"]);
        if cx.written("workflows") && cx.written("values") {
            let message = "expected `values` beside each of `workflows`, found them beside the list";
            cx.error_at_key(code::NOT_ALLOWED, &cx.key("values"), message);
        }
        if cx.written("workflows") && self.workflows.is_empty() && !cx.has_problem("workflows") {
            cx.error(code::INVALID_VALUE, &cx.key("workflows"), "expected at least one workflow, found none");
        }
        if cx.written("timeout") && !self.wait {
            let message = "`timeout` bounds a wait, and without `wait: true` there is none";
            cx.warning(code::SUSPICIOUS, &cx.key("timeout"), message);
        }
        on(self.on.as_ref(), cx);
    }
}

/// The records that `on` names, in a workflow that has no object (`is_global`) or has one.
pub(crate) fn runs_on(on: Option<&Template>, is_global: bool) -> RunsOn {
    match on {
        None if is_global => RunsOn::None,
        None => RunsOn::Own,
        Some(on) if is_word(on, OWN) => RunsOn::Own,
        Some(on) if is_word(on, NONE) => RunsOn::None,
        Some(_) => RunsOn::Given,
    }
}

/// Checks the records that workflows are to run on, or are controlled on.
pub(super) fn on(on: Option<&Template>, cx: &mut Check<'_, '_>) {
    let Some(on) = on else { return };
    match on.literal() {
        Some(Value::String(word)) if word == NONE => {}
        Some(Value::String(word)) if word == OWN => {
            if cx.facts.object_id.is_none() {
                let message = "expected `none` or a template that gives records, found record: this workflow is global";
                cx.error(code::NO_RECORD, &cx.key("on"), message);
            }
        }
        Some(other) => {
            let message = format!("expected record, none or a template that gives records, found {}", found(other));
            cx.error(code::INVALID_VALUE, &cx.key("on"), message);
        }
        None => {
            let kinds = cx.type_of(on).kinds.present();
            if !kinds.meets(Kinds::OBJECT | Kinds::TEXT | Kinds::LIST) {
                let message = format!("expected a record, an id, or a list of them, found {kinds}");
                cx.error(code::WRONG_TYPE, &cx.key("on"), message);
            }
        }
    }
}

/// The records that `on` names, in words.
pub(super) fn runs_on_words(on: &Template) -> String {
    match on.literal().and_then(Value::as_str) {
        Some(OWN) => "the record".to_owned(),
        Some(NONE) => "no record".to_owned(),
        _ => on.words(),
    }
}
