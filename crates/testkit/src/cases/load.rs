//! Reads a file of cases with the workflow, the objects and the other definitions that it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pawl_definition::{
    Around, DefinitionKind, Definitions, Level, Object, Problem, Source, StepKind, Workflow, check_definition,
    check_starts, code,
};
use serde_json::Value;

use super::Files;
use super::check;
use super::file::{Case, CaseFile};
use super::texts;

/// A file of cases with all that it names.
pub(super) struct Loaded {
    pub(super) file: CaseFile,
    pub(super) workflow: Workflow,
    pub(super) workflow_source: Source,
    pub(super) object_sources: Vec<Source>,
    /// Groups, calendars and other definitions in the folder.
    pub(super) definition_sources: Vec<(DefinitionKind, Source)>,
    /// The workflows that the workflow starts or controls, and those that they do, by id; none of one that is scripted and has no
    /// file.
    pub(super) started: BTreeMap<String, Option<Source>>,
    /// Whole requests and events by the name of their file.
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

    /// The workflows that it starts, as they are in a case.
    pub(super) fn children(&self, case: &Case) -> Vec<Source> {
        let script = |id: &str| {
            let scripts = case.children.iter().chain(&self.file.children);
            scripts.into_iter().find(|script| script.workflow == id)
        };
        let as_in_case = |(id, real): (&String, &Option<Source>)| match script(id) {
            Some(script) => Some(script.source(real.as_ref())),
            None => real.clone(),
        };
        self.started.iter().filter_map(as_in_case).collect()
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
    let (definition_sources, definitions) = definitions(&folder, &objects, files)?;
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
    let (workflow, problems) =
        pawl_definition::check_workflow(&workflow_source, Around::new(&objects).with(&definitions));
    let workflow = workflow.ok_or_else(|| errors(problems))?;
    let started = started(&folder, (&file, &source), (&workflow, &workflow_source), (&objects, files))?;
    let strange = strange_open((&file, &source), &workflow.id, &started);
    if !strange.is_empty() {
        return Err(strange);
    }
    let requests = requests(&folder, &file, files)?;
    Ok(Loaded { file, workflow, workflow_source, object_sources, definition_sources, started, requests })
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

type FoundDefinitions = (Vec<(DefinitionKind, Source)>, Definitions);

/// The groups, calendars and other definitions of a folder, each checked against its objects.
fn definitions(
    folder: &Path,
    objects: &BTreeMap<String, Object>,
    files: &dyn Files,
) -> Result<FoundDefinitions, Vec<Problem>> {
    let (mut sources, mut definitions) = (Vec::new(), Definitions::default());
    for kind in DefinitionKind::ALL {
        for path in ending(folder, kind.endings()[0], files)? {
            let source = read(&path, files)?.for_definition();
            let (id, problems) = check_definition(*kind, &source, Around::new(objects).with(&definitions));
            let id = id.ok_or_else(|| errors(problems))?;
            let known = definitions.insert(*kind, &id, &source.value);
            known.map_err(|error| vec![about(&source.name, error.to_string())])?;
            sources.push((*kind, source));
        }
    }
    Ok((sources, definitions))
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

/// The workflows that a workflow starts or controls, and those that they do: each stands in the folder, or is scripted in every case.
fn started(
    folder: &Path,
    (file, source): (&CaseFile, &Source),
    (workflow, workflow_source): (&Workflow, &Source),
    (objects, files): (&BTreeMap<String, Object>, &dyn Files),
) -> Result<BTreeMap<String, Option<Source>>, Vec<Problem>> {
    let mut started = BTreeMap::new();
    let mut open = names(workflow);
    if open.is_empty() {
        return Ok(started);
    }
    let beside = beside(folder, objects, files)?;
    let known: BTreeMap<String, Workflow> =
        beside.iter().map(|(id, (_, workflow))| (id.clone(), workflow.clone())).collect();
    let scripted: BTreeSet<String> = file.children.iter().map(|script| script.workflow.clone()).collect();
    let always = |id: &String| {
        let in_case = |case: &Case| case.children.iter().any(|script| script.workflow == *id);
        scripted.contains(id) || file.cases.iter().all(in_case)
    };
    let problems = check_starts(
        workflow_source,
        workflow,
        &known,
        (objects, &open.iter().filter(|id| always(id)).cloned().collect()),
    );
    if problems.iter().any(Problem::is_error) {
        return Err(errors(problems));
    }
    while let Some(id) = open.pop_first() {
        let found = beside.get(&id);
        if id == workflow.id || started.contains_key(&id) {
            continue;
        }
        if found.is_none() && !always(&id) {
            let message =
                format!("expected the workflow {id:?}, which a step names, in the folder or among `children`");
            return Err(vec![check::of(source, &pawl_definition::Path::root(), code::UNKNOWN_WORKFLOW, message)]);
        }
        if let Some((_, child)) = found.filter(|_| !scripted.contains(&id)) {
            open.extend(names(child));
        }
        started.insert(id, found.map(|(source, _)| source.clone()));
    }
    Ok(started)
}

/// Executions that are open in a case although no step names their workflow: nothing would come of them.
fn strange_open(
    (file, source): (&CaseFile, &Source),
    own: &str,
    named: &BTreeMap<String, Option<Source>>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let root = pawl_definition::Path::root().key("cases");
    for (case, path) in file.cases.iter().enumerate().map(|(at, case)| (case, root.index(at).key("open"))) {
        for (at, id) in case.open.iter().map(|open| &open.workflow).enumerate() {
            if id != own && !named.contains_key(id) {
                let message = format!("expected {own:?} or a workflow that a step of it names, found {id:?}");
                problems.push(check::of(source, &path.index(at).key("workflow"), code::UNKNOWN_WORKFLOW, message));
            }
        }
    }
    problems
}

/// The workflows that a workflow's steps name.
fn names(workflow: &Workflow) -> BTreeSet<String> {
    let named = |step: &pawl_definition::Step| -> Vec<String> {
        step.kind.shape().workflows().into_iter().map(|named| named.id.to_owned()).collect()
    };
    workflow.all_steps().into_iter().flat_map(named).collect()
}

/// The workflows of a folder that are right, by id.
fn beside(
    folder: &Path,
    objects: &BTreeMap<String, Object>,
    files: &dyn Files,
) -> Result<BTreeMap<String, (Source, Workflow)>, Vec<Problem>> {
    let mut found = BTreeMap::new();
    for path in ending(folder, ".workflow.yaml", files)? {
        let Ok(source) = read(&path, files) else { continue };
        if let (Some(workflow), _) = pawl_definition::check_workflow(&source, objects) {
            found.insert(workflow.id.clone(), (source, workflow));
        }
    }
    Ok(found)
}

/// The whole requests that deliveries name, and the whole events.
fn requests(folder: &Path, file: &CaseFile, files: &dyn Files) -> Result<BTreeMap<String, Value>, Vec<Problem>> {
    let later = || file.cases.iter().flat_map(|case| &case.then);
    let deliveries = file.cases.iter().filter_map(|case| case.event.webhook.as_ref());
    let deliveries = deliveries.chain(later().filter_map(|later| later.webhook.as_ref()));
    let events = file.cases.iter().filter_map(|case| case.event.event.as_ref());
    let events = events.chain(later().filter_map(|later| later.event.as_ref()));
    let names = deliveries.filter_map(|delivery| delivery.file.clone());
    let names = names.chain(events.filter_map(|event| event.file.clone()));
    names.map(|name| read(&folder.join(&name), files).map(|source| (name, source.value))).collect()
}
