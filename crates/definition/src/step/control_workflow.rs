//! `control_workflow`: pauses, resumes or cancels executions of workflows.

use serde::Deserialize;

use super::start_workflow::{on, runs_on, runs_on_words};
use super::{Controlled, NamedWorkflow, RunsOn, Shape, Step};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Template, code};

/// What an execution of another workflow came to.
const STATES: [&str; 4] = ["paused", "resumed", "canceled", "refused"];

/// What is done to executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlDo {
    /// They stop before their next step, until they are resumed.
    Pause,
    /// Those that are paused go on.
    Resume,
    /// They end.
    Cancel,
}

impl ControlDo {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}

/// The step `control_workflow`. Output: a list of `{workflow, execution_id, status, error}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlWorkflow {
    /// The workflows whose open executions are meant.
    #[schemars(length(min = 1), inner(regex(pattern = r"^[a-z0-9-]{1,64}$")))]
    pub workflows: Vec<String>,
    /// The records that the executions run on: `record` for this one (the default; of a global workflow `none`), `none` for
    /// executions that run on no record, or a template that gives a record, an id, or a list of them: each.
    #[serde(default)]
    pub on: Option<Template>,
    /// What is done to them.
    pub r#do: ControlDo,
    /// Why, for their history.
    #[serde(default)]
    pub reason: Option<Template>,
}

impl ControlWorkflow {
    /// The records that the executions run on, in a workflow that has no object (`is_global`) or has one.
    pub fn runs_on(&self, is_global: bool) -> RunsOn {
        runs_on(self.on.as_ref(), is_global)
    }
}

impl Shape for ControlWorkflow {
    fn words(&self, _: &Step) -> String {
        let on = match &self.on {
            Some(on) => format!(" on {}", runs_on_words(on)),
            None => String::new(),
        };
        format!("{}s open executions of {}{on}", self.r#do.word(), listed(self.workflows.iter().cloned(), "and"))
    }

    fn workflows(&self) -> Vec<NamedWorkflow<'_>> {
        let each = self.workflows.iter().enumerate();
        each.map(|(at, id)| NamedWorkflow {
            id,
            place: format!("workflows[{at}]"),
            values: None,
            values_place: String::new(),
            waits: false,
            controlled: Some(Controlled { by: self.r#do.word(), on: self.on.as_ref() }),
        })
        .collect()
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        let error = Type::open_object([("code", Type::text()), ("message", Type::text())]).or_null();
        Type::list(Type::object([
            ("workflow", Type::text()),
            ("execution_id", Type::text().or_null()),
            ("status", Type::words(STATES)),
            ("error", error),
        ]))
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if self.workflows.is_empty() && !cx.has_problem("workflows") {
            cx.error(code::INVALID_VALUE, &cx.key("workflows"), "expected at least one workflow, found none");
        }
        for (at, id) in self.workflows.iter().enumerate().filter(|(at, id)| self.workflows[..*at].contains(id)) {
            let message = format!("{id:?} is named twice");
            cx.warning(code::SUSPICIOUS, &cx.key("workflows").index(at), message);
        }
        on(self.on.as_ref(), cx);
    }
}
