//! `pawl check`: every problem at once, and the launch checklist.

use std::path::{Path, PathBuf};

use pawl_definition::{ChecklistItem, ChecklistStatus, Problem, Workflow, check_object, check_workflow, checklist};
use serde_json::json;

use crate::args::Format;
use crate::files;

/// Checks files; `false` if any has an error.
pub(crate) fn run(paths: &[PathBuf], format: Format) -> anyhow::Result<bool> {
    let endings: Vec<&str> = [files::WORKFLOW, files::OBJECT, files::CASES].concat();
    let mut right = true;
    for path in files::some(paths, &endings)? {
        let (workflow, problems) = check(&path)?;
        right &= !problems.iter().any(Problem::is_error);
        let list = match &workflow {
            Some(workflow) => checklist(workflow, has_cases(&path)?),
            None => Vec::new(),
        };
        match format {
            Format::Text => print_text(&path, &problems, &list),
            Format::Json => print_json(&path, &problems, &list),
        }
    }
    Ok(right)
}

/// The problems of one file, and its workflow if it is one.
fn check(path: &Path) -> anyhow::Result<(Option<Workflow>, Vec<Problem>)> {
    if files::is(path, files::CASES) {
        return Ok((None, pawl_testkit::cases::check_file(path, &pawl_testkit::cases::Disk)));
    }
    Ok(match files::read(path)? {
        Err(problems) => (None, problems),
        Ok(source) if files::is(path, files::OBJECT) => (None, check_object(&source).1),
        Ok(source) => check_workflow(&source, &files::objects_beside(path)?),
    })
}

/// Whether a file of test cases stands beside a workflow.
fn has_cases(path: &Path) -> anyhow::Result<bool> {
    Ok(!files::beside(path, files::CASES)?.is_empty())
}

fn print_text(path: &Path, problems: &[Problem], list: &[ChecklistItem]) {
    for problem in problems {
        println!("{problem}");
    }
    if !problems.iter().any(Problem::is_error) {
        println!("{}: ok", path.display());
    }
    for item in list {
        let mark = match item.status {
            ChecklistStatus::Pass => "✓",
            ChecklistStatus::Fail => "✗",
            ChecklistStatus::NotApplicable => "–",
        };
        println!("  {mark} {}: {}", item.title, item.detail);
    }
}

fn print_json(path: &Path, problems: &[Problem], list: &[ChecklistItem]) {
    println!("{}", json!({"file": path.display().to_string(), "problems": problems, "checklist": list}));
}
