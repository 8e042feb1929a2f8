//! Reads a file of cases with the workflow and the objects that it is about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pawl_definition::{Level, Object, Problem, Source, StepKind, Workflow, code};
use serde_json::Value;

use super::Files;
use super::check;
use super::file::CaseFile;
use super::texts;

/// A file of cases with all that it names.
pub(super) struct Loaded {
    pub(super) file: CaseFile,
    pub(super) workflow: Workflow,
    pub(super) workflow_source: Source,
    pub(super) object_sources: Vec<Source>,
    /// Whole requests by the name of their file.
    pub(super) requests: BTreeMap<String, Value>,
}

impl Loaded {
    /// The workflow with webhooks that trust every delivery: a case does not sign.
    pub(super) fn unverified(&self) -> Source {
        let mut value = self.workflow_source.value.clone();
        trust(value.get_mut("triggers"));
        trust_goals(&mut value);
        Source::from_value(&self.workflow_source.name, value)
    }

    /// The id of the webhook that a delivery comes on.
    pub(super) fn webhook(&self, named: Option<&str>) -> String {
        let first = || self.workflow.webhooks().first().map(|hook| hook.trigger.id.clone());
        named.map(str::to_owned).or_else(first).unwrap_or_else(|| "webhook".to_owned())
    }
}

/// Triggers that ask for no signature.
fn trust(triggers: Option<&mut Value>) {
    for trigger in triggers.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(trigger) = trigger.as_object_mut() {
            trigger.remove("verify");
        }
    }
}

/// The same for what goals wait for, wherever their steps stand.
fn trust_goals(value: &mut Value) {
    let tag = value.get("type").and_then(Value::as_str).unwrap_or_default();
    if let Some(key) = StepKind::facts_of(tag).triggers_in {
        trust(value.get_mut(key));
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(trust_goals),
        Value::Object(keys) => keys.values_mut().for_each(trust_goals),
        _ => {}
    }
}

/// Reads and checks everything.
pub(super) fn load(path: &Path, files: &dyn Files) -> Result<Loaded, Vec<Problem>> {
    // Which fields and variables take texts is known from the objects and the workflow that the file names.
    let (nothing, none) = (Source::from_value("", Value::Null), BTreeMap::new());
    let mut source = read(path, files)?.with_texts(&|root, path| texts::wanted(root, path, &nothing, &none));
    let mut file = check::check(&source)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let object_sources = objects(&folder, &file, files)?;
    let mut objects: BTreeMap<String, Object> = BTreeMap::new();
    for object in &object_sources {
        let (object, problems) = pawl_definition::check_object(object);
        let object = object.ok_or_else(|| errors(problems))?;
        objects.insert(object.id.clone(), object);
    }
    let workflow_source = read(&workflow_path(&folder, &file, &source, files)?, files)?.for_workflow(&objects);
    let with_texts = source.with_texts(&|root, path| texts::wanted(root, path, &workflow_source, &objects));
    let too_large = with_texts.too_large_numbers();
    if !too_large.is_empty() {
        return Err(too_large);
    }
    if with_texts.value != source.value {
        source = with_texts;
        file = check::check(&source)?;
    }
    let (workflow, problems) = pawl_definition::check_workflow(&workflow_source, &objects);
    let workflow = workflow.ok_or_else(|| errors(problems))?;
    let requests = requests(&folder, &file, files)?;
    Ok(Loaded { file, workflow, workflow_source, object_sources, requests })
}

fn errors(problems: Vec<Problem>) -> Vec<Problem> {
    problems.into_iter().filter(Problem::is_error).collect()
}

fn read(path: &Path, files: &dyn Files) -> Result<Source, Vec<Problem>> {
    let name = path.display().to_string();
    let text = files.read(path).map_err(|why| vec![about(&name, format!("cannot be read: {why}"))])?;
    Source::parse(&name, &text)
}

/// A problem of a whole file.
fn about(file: &str, message: String) -> Problem {
    Problem {
        file: file.to_owned(),
        code: code::INVALID_VALUE.to_owned(),
        path: String::new(),
        line: None,
        column: None,
        message,
        suggestion: None,
        severity: Level::Error,
    }
}

fn ending(folder: &Path, end: &str, files: &dyn Files) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let shown = folder.display().to_string();
    let listed = files.list(folder).map_err(|why| vec![about(&shown, format!("cannot be listed: {why}"))])?;
    let ends = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end));
    let mut found: Vec<_> = listed.into_iter().filter(ends).collect();
    found.sort();
    Ok(found)
}

fn objects(folder: &Path, file: &CaseFile, files: &dyn Files) -> Result<Vec<Source>, Vec<Problem>> {
    let paths = match &file.objects {
        Some(named) => named.iter().map(|name| folder.join(name)).collect(),
        None => ending(folder, ".object.yaml", files)?,
    };
    paths.iter().map(|path| read(path, files)).collect()
}

fn workflow_path(folder: &Path, file: &CaseFile, source: &Source, files: &dyn Files) -> Result<PathBuf, Vec<Problem>> {
    if let Some(named) = &file.workflow {
        return Ok(folder.join(named));
    }
    let mut found = ending(folder, ".workflow.yaml", files)?;
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (_, others) => {
            let found = if others == 0 { "none".to_owned() } else { (others + 1).to_string() };
            let message = format!("expected the key workflow, or one *.workflow.yaml in the folder, found {found}");
            Err(vec![check::of(source, &pawl_definition::Path::root(), code::MISSING_KEY, message)])
        }
    }
}

/// The whole requests that deliveries name.
fn requests(folder: &Path, file: &CaseFile, files: &dyn Files) -> Result<BTreeMap<String, Value>, Vec<Problem>> {
    let at_start = file.cases.iter().filter_map(|case| case.event.webhook.as_ref());
    let later = file.cases.iter().flat_map(|case| &case.then).filter_map(|later| later.webhook.as_ref());
    let names = at_start.chain(later).filter_map(|delivery| delivery.file.clone());
    names.map(|name| read(&folder.join(&name), files).map(|source| (name, source.value))).collect()
}
