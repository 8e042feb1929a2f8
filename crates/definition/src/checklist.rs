//! The launch checklist: section 12 of the language.

use serde::Serialize;

use crate::Workflow;

/// How one item of the checklist stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecklistStatus {
    /// Met.
    Pass,
    /// Not met.
    Fail,
    /// Nothing in the workflow that it is about.
    NotApplicable,
}

/// One item of the launch checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChecklistItem {
    /// Stable code.
    pub code: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// How it stands.
    pub status: ChecklistStatus,
    /// Why, and what to do.
    pub detail: String,
    /// The step it is about.
    pub step: Option<String>,
}

/// Holds a workflow against the launch checklist.
pub fn checklist(workflow: &Workflow, has_cases: bool) -> Vec<ChecklistItem> {
    let _ = (workflow, has_cases);
    Vec::new()
}
