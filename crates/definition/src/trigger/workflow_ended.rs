//! `workflow_ended`: an execution of another workflow ends.

use serde::Deserialize;

use super::{Listen, TypeFacts};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::quoted;
use crate::{Check, code};

/// How an execution can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndStatus {
    /// It came to its last step.
    Completed,
    /// A step failed, or a limit ended it.
    Failed,
    /// A person, a step or its parent ended it.
    Canceled,
}

impl EndStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Completed, Self::Failed, Self::Canceled];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// One or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several: any of them.
    Many(#[schemars(length(min = 1))] Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// The trigger `workflow_ended`. The end of an execution of its own workflow never fires it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowEnded {
    /// The workflow whose executions count, or several; any other workflow if absent.
    #[serde(default)]
    pub workflow: Option<OneOrMany<String>>,
    /// How they ended, `completed`, `failed` or `canceled`, or several of these; in any way if absent.
    #[serde(default)]
    pub status: Option<OneOrMany<EndStatus>>,
}

impl WorkflowEnded {
    /// The workflows that it names; none is any.
    pub fn workflows(&self) -> &[String] {
        self.workflow.as_ref().map_or(&[], OneOrMany::all)
    }

    /// The ends that it names; none is any.
    pub fn statuses(&self) -> &[EndStatus] {
        self.status.as_ref().map_or(&[], OneOrMany::all)
    }
}

impl Listen for WorkflowEnded {
    fn words(&self) -> String {
        let of = match self.workflows() {
            [] => "another workflow".to_owned(),
            some => listed(some.iter().cloned(), "or"),
        };
        let how = match &self.status {
            Some(status) => listed(status.all().iter().map(|status| status.word().to_owned()), "or"),
            None => "in any way".to_owned(),
        };
        format!("an execution of {of} ends, {how}")
    }

    fn facts() -> TypeFacts {
        TypeFacts { brings_results: true, ..TypeFacts::default() }
    }

    fn workflows(&self) -> Vec<(String, &str)> {
        match &self.workflow {
            None => Vec::new(),
            Some(OneOrMany::One(id)) => vec![("workflow".to_owned(), id)],
            Some(OneOrMany::Many(ids)) => {
                ids.iter().enumerate().map(|(at, id)| (format!("workflow[{at}]"), id.as_str())).collect()
            }
        }
    }

    fn event(&self, _: &Facts<'_>) -> Vec<(&'static str, Type)> {
        let text = || Type::text().or_null();
        let error = Type::open_object([("code", Type::text()), ("message", Type::text())]).or_null();
        let record = Type::object([("object", Type::text()), ("id", Type::text())]).or_null();
        let execution = Type::object([
            ("id", Type::text()),
            ("workflow", Type::text()),
            ("status", Type::words(EndStatus::ALL.map(EndStatus::word))),
            ("reason", text()),
            ("error", error),
            ("output", Type::of(Kinds::ANY)),
            ("record", record),
            ("started_at", text()),
            ("ended_at", Type::text()),
        ]);
        vec![("execution", execution)]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        for (key, is_empty) in [
            ("workflow", self.workflow.as_ref().is_some_and(|all| all.all().is_empty())),
            ("status", self.status.as_ref().is_some_and(|all| all.all().is_empty())),
        ] {
            if is_empty && !cx.has_problem(key) {
                let message = "this trigger never fires: expected at least one, found an empty list";
                cx.error(code::INVALID_VALUE, &cx.key(key), message);
            }
        }
        let own = cx.facts.workflow_id;
        if let Some(own) = own.filter(|own| self.workflows().iter().any(|id| id == own)) {
            let message = format!(
                "expected another workflow, found {}: the end of an execution starts nothing of its own workflow",
                quoted(own)
            );
            cx.error(code::NOT_ALLOWED, &cx.key("workflow"), message)
                .suggest("write the further steps behind its last step, or let it start another one".to_owned());
        }
    }
}
