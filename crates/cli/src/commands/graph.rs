//! `pawl graph`: a workflow as a Mermaid flowchart.

use std::path::Path;

use pawl_definition::{Problem, check_workflow, mermaid};

use crate::output::complain;
use crate::shown::shown;
use crate::{files, output};

/// Prints it.
pub(crate) fn run(file: &Path) -> anyhow::Result<bool> {
    let problems = match files::read(file) {
        Ok(source) => match check_workflow(&source, files::Folders::default().beside(file)?.around()) {
            (Some(workflow), _) => {
                output::print(&mermaid(&workflow))?;
                return Ok(true);
            }
            (None, problems) => problems,
        },
        Err(problems) => problems,
    };
    for problem in problems.iter().filter(|problem| Problem::is_error(problem)) {
        complain!("{}", shown(&problem.to_string()));
    }
    Ok(false)
}
