//! What the walk finds in a file, for the passes that follow: steps, triggers and expressions with their paths.

use serde_json::{Map, Value};

use crate::StepKind;
use crate::path::Path;

/// Whose an expression is: what it sees depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The workflow itself.
    Workflow,
    /// A trigger of the workflow, by its place in [`Found::triggers`].
    Trigger(usize),
    /// A step, by its place in [`Found::steps`].
    Step(usize),
}

/// A step as written.
#[derive(Debug)]
pub(crate) struct StepSite<'a> {
    pub(crate) path: Path,
    pub(crate) keys: &'a Map<String, Value>,
    pub(crate) id: Option<&'a str>,
    /// Its type, if this version has it.
    pub(crate) tag: Option<&'static str>,
    /// Own keys that hold nested steps.
    pub(crate) branches: Vec<Path>,
}

impl<'a> StepSite<'a> {
    /// The variables that it sets, `save_as` left aside.
    pub(crate) fn sets(&self) -> Vec<&'a str> {
        self.tag.map(|tag| StepKind::sets(tag, self.keys)).unwrap_or_default()
    }
}

/// A trigger as written.
#[derive(Debug)]
pub(crate) struct TriggerSite<'a> {
    pub(crate) path: Path,
    pub(crate) keys: &'a Map<String, Value>,
    /// Its type, if this version has it.
    pub(crate) tag: Option<&'static str>,
    /// The step that waits on it, if it is not the workflow's.
    pub(crate) waits: bool,
}

impl<'a> TriggerSite<'a> {
    /// Its id: as written, else its type.
    pub(crate) fn id(&self) -> Option<&'a str> {
        self.keys.get("id").or_else(|| self.keys.get("type")).and_then(Value::as_str)
    }
}

/// One CEL expression: bare, or inside a text.
#[derive(Debug)]
pub(crate) struct ExpressionSite<'a> {
    pub(crate) path: Path,
    pub(crate) text: &'a str,
    /// Characters of the text at the path before the expression.
    pub(crate) column: usize,
    pub(crate) owner: Owner,
}

/// Everything found.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) steps: Vec<StepSite<'a>>,
    pub(crate) triggers: Vec<TriggerSite<'a>>,
    pub(crate) expressions: Vec<ExpressionSite<'a>>,
}
