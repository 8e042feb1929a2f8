//! Workflows that a case's workflow starts: the real ones, or what a case says they come to.

use std::collections::BTreeMap;

use crate::cases::describe::JsonSchema;
use pawl_definition::{Path, Source, code};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::check::Found;

/// What an execution of another workflow comes to, in place of its steps.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChildScript {
    /// The workflow that is started.
    pub(super) workflow: String,
    /// How it ends; absent: completed.
    #[serde(default)]
    pub(super) status: ChildEnd,
    /// Its result, by name.
    #[serde(default)]
    pub(super) output: Map<String, Value>,
    /// Why it failed or was canceled.
    #[serde(default)]
    pub(super) reason: Option<String>,
    /// It takes so long, `3d 2h`.
    #[serde(default)]
    pub(super) takes: Option<String>,
}

/// How a scripted execution ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChildEnd {
    /// Came to its end.
    #[default]
    Completed,
    /// Was canceled.
    Canceled,
    /// Failed.
    Failed,
}

impl ChildEnd {
    fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }
}

/// What the shape does not say: spans, and workflows that are scripted twice.
pub(super) fn check(found: &mut Found<'_>, path: &Path, scripts: &[ChildScript]) {
    for (index, script) in scripts.iter().enumerate() {
        let path = path.index(index);
        found.span(&path.key("takes"), script.takes.as_deref());
        if scripts[..index].iter().any(|other| other.workflow == script.workflow) {
            found.add(&path.key("workflow"), code::DUPLICATE_ID, format!("{:?} is scripted twice", script.workflow));
        }
    }
}

impl ChildScript {
    /// A workflow that comes to what is said. It takes the record and the variables of the real one, if that is there.
    pub(super) fn source(&self, real: Option<&Source>) -> Source {
        let mut steps = Vec::new();
        if let Some(takes) = &self.takes {
            steps.push(json!({"id": "takes", "type": "delay", "for": takes}));
        }
        steps.push(json!({"id": "ends", "type": "stop", "as": self.status.word(), "reason": self.reason}));
        let output: BTreeMap<_, _> = self.output.iter().map(|(name, value)| (name, value.to_string())).collect();
        let mut workflow =
            json!({"workflow": self.workflow, "owner": "cases@example.com", "steps": steps, "output": output});
        for key in ["object", "variables", "limits"] {
            if let Some(value) = real.and_then(|real| real.value.get(key)) {
                workflow[key] = value.clone();
            }
        }
        Source::from_value(&format!("the case's {}", self.workflow), workflow)
    }
}
