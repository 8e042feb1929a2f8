//! `pawl check`: every problem at once, and the launch checklist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pawl_definition::{
    ChecklistItem, ChecklistStatus, Problem, Workflow, check_definition, check_object, check_objects, check_starts,
    check_workflow, checklist,
};
use serde_json::json;

use crate::args::Format;
use crate::files::{self, Beside, Folders, Places};
use crate::output::say;
use crate::shown::shown;

/// Checks files; `false` if any has an error.
pub(crate) fn run(paths: &[PathBuf], format: Format) -> anyhow::Result<bool> {
    let endings: Vec<&str> = [files::of_language().as_slice(), files::CASES].concat();
    let mut right = true;
    // Each folder is an installation of its own: examples may have objects of the same name.
    let mut places: BTreeMap<_, Places> = BTreeMap::new();
    let mut folders = Folders::default();
    let files = files::some(paths, &endings)?;
    let names: BTreeSet<_> = files.iter().map(|path| path.display().to_string()).collect();
    for path in files {
        let (workflow, mut problems) = check(&path, &mut folders)?;
        // A file of cases is checked with all that it is about; what is wrong there is told there.
        let (name, found) = (path.display().to_string(), problems.len());
        problems.retain(|problem| problem.file == name || !names.contains(&problem.file));
        let elsewhere = problems.len() < found;
        if let (false, Ok(source)) = (files::is(&path, files::CASES), files::read(&path)) {
            let here = places.entry(path.parent().map(Path::to_owned)).or_default();
            problems.extend(here.note(&path, &source));
        }
        right &= !problems.iter().any(Problem::is_error);
        let list = match &workflow {
            Some(workflow) => checklist(workflow, folders.beside(&path)?.has_cases(&path)),
            None => Vec::new(),
        };
        match format {
            Format::Text if elsewhere && problems.is_empty() => say!("{name}: what it is about has errors"),
            Format::Text => print_text(&path, &problems, &list),
            Format::Json => print_json(&path, &problems, &list),
        }
    }
    Ok(right)
}

/// The problems of one file, and its workflow if it is one.
fn check(path: &Path, folders: &mut Folders) -> anyhow::Result<(Option<Workflow>, Vec<Problem>)> {
    if files::is(path, files::CASES) {
        return Ok((None, pawl_testkit::cases::check_file(path, &pawl_testkit::cases::Disk)));
    }
    let source = match files::read(path) {
        Err(problems) => return Ok((None, problems)),
        Ok(source) => source,
    };
    let beside = folders.beside(path)?;
    let Beside { objects, broken, workflows, broken_workflows, .. } = beside;
    if let Some(kind) = files::definition_kind(path) {
        return Ok((None, check_definition(kind, &source, beside.around()).1));
    }
    if !files::is(path, files::OBJECT) {
        let (workflow, mut problems) = check_workflow(&source, beside.around());
        let starts = workflow.iter().flat_map(|one| check_starts(&source, one, workflows, (objects, broken_workflows)));
        problems.extend(starts);
        return Ok((workflow, problems));
    }
    let (object, mut problems) = check_object(&source);
    problems.extend(object.iter().flat_map(|object| check_objects(&source, object, objects, broken)));
    Ok((None, problems))
}

fn print_text(path: &Path, problems: &[Problem], list: &[ChecklistItem]) {
    for problem in problems {
        say!("{}", shown(&problem.to_string()));
    }
    if !problems.iter().any(Problem::is_error) {
        say!("{}: ok", path.display());
    }
    for item in list {
        let mark = match item.status {
            ChecklistStatus::Pass => "✓",
            ChecklistStatus::Fail => "✗",
            ChecklistStatus::NotApplicable => "–",
        };
        let failing = item.step.as_ref().filter(|_| item.status == ChecklistStatus::Fail);
        let step = failing.map_or_else(String::new, |step| format!(" ({step})"));
        say!("  {mark} {}{step}: {}", item.title, shown(&item.detail));
    }
}

fn print_json(path: &Path, problems: &[Problem], list: &[ChecklistItem]) {
    say!("{}", json!({"file": path.display().to_string(), "problems": problems, "checklist": list}));
}
