//! `pawl graph` and `pawl describe`: a workflow's file as a Mermaid flowchart, and in sentences.

use std::path::Path;

use pawl_definition::{Problem, Workflow, check_workflow, mermaid, told};
use serde_json::json;

use crate::output::{complain, say};
use crate::shown::{lines, shown};
use crate::{files, output};

/// Draws it.
pub(crate) fn run(file: &Path) -> anyhow::Result<bool> {
    with_workflow(file, |workflow| output::print(&mermaid(workflow)))
}

/// Tells it.
pub(crate) fn describe(file: &Path, json: bool) -> anyhow::Result<bool> {
    with_workflow(file, |workflow| {
        let text = told(workflow);
        if json {
            say!("{}", json!({"id": workflow.id, "text": text}));
            return Ok(());
        }
        output::print(&lines(&text))
    })
}

/// Whether a word means a file, and no workflow of an installation.
pub(crate) fn is_file(word: &str) -> bool {
    let path = Path::new(word);
    files::is(path, files::WORKFLOW) || path.components().count() > 1
}

/// Does something with the workflow of a file, if it has no mistake; else tells the mistakes.
fn with_workflow(file: &Path, done: impl FnOnce(&Workflow) -> anyhow::Result<()>) -> anyhow::Result<bool> {
    let problems = match files::read(file) {
        Ok(source) => match check_workflow(&source, files::Folders::default().beside(file)?.around()) {
            (Some(workflow), _) => return done(&workflow).map(|()| true),
            (None, problems) => problems,
        },
        Err(problems) => problems,
    };
    for problem in problems.iter().filter(|problem| Problem::is_error(problem)) {
        complain!("{}", shown(&problem.to_string()));
    }
    Ok(false)
}
