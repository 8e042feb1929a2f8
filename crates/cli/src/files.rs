//! Files of authors: found by their names, read as sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use pawl_definition::{Object, Problem, Source, check_object};

/// How a workflow's file is named.
pub(crate) const WORKFLOW: &[&str] = &[".workflow.yaml", ".workflow.yml", ".workflow.json"];
/// How an object's file is named.
pub(crate) const OBJECT: &[&str] = &[".object.yaml", ".object.yml", ".object.json"];
/// How a file of test cases is named.
pub(crate) const CASES: &[&str] = &[".cases.yaml", ".cases.yml", ".cases.json"];

/// Whether a file is named so.
pub(crate) fn is(path: &Path, endings: &[&str]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    endings.iter().any(|ending| name.ends_with(ending))
}

/// The files that a list of files and folders names, each once, in order; at least one.
pub(crate) fn some(paths: &[PathBuf], endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let found = expand(paths, endings)?;
    if found.is_empty() {
        let places: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        bail!("expected files named {} in {}, found none", names(endings), places.join(", "));
    }
    Ok(found)
}

/// The files that a list of files and folders names, each once, in order. A folder stands for the files of the
/// language in it and in the folders below; a file must be named as they are.
pub(crate) fn expand(paths: &[PathBuf], endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let (files, folders): (Vec<_>, Vec<_>) = inside(path)?.into_iter().partition(|path| path.is_file());
            found.extend(files.into_iter().filter(|path| is(path, endings)));
            found.extend(expand(&folders, endings)?);
        } else if is(path, endings) {
            found.push(path.clone());
        } else {
            bail!("expected a folder or a file named {}, found {}", names(endings), path.display());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

fn names(endings: &[&str]) -> String {
    endings.iter().map(|ending| format!("*{ending}")).collect::<Vec<_>>().join(", ")
}

/// What stands in a folder, hidden files and folders left out, in order.
fn inside(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_hidden = |path: &PathBuf| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let mut paths: Vec<_> = paths.filter(|path| !is_hidden(path)).collect();
    paths.sort();
    Ok(paths)
}

/// The files that stand beside a file, in its own folder.
pub(crate) fn beside(path: &Path, endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(inside(folder)?.into_iter().filter(|path| path.is_file() && is(path, endings)).collect())
}

/// Reads a file as a source. A file that cannot be read is a problem like others: those of other files are found too.
pub(crate) fn read(path: &Path) -> Result<Source, Vec<Problem>> {
    let name = path.display().to_string();
    let unreadable = |message: String| vec![problem(&name, pawl_definition::code::SYNTAX, message)];
    let bytes = std::fs::read(path).map_err(|error| unreadable(format!("expected a file, found none: {error}")))?;
    let text =
        String::from_utf8(bytes).map_err(|_| unreadable("expected a text in UTF-8, found other bytes".into()))?;
    Source::parse(&name, &text)
}

/// A problem of a whole file.
fn problem(file: &str, code: &str, message: String) -> Problem {
    let (file, code, severity) = (file.to_owned(), code.to_owned(), pawl_definition::Level::Error);
    Problem { file, code, path: String::new(), line: None, column: None, message, suggestion: None, severity }
}

/// Which file each workflow and object stands in: a second one would save over the first for ever.
#[derive(Default)]
pub(crate) struct Places(BTreeMap<(&'static str, String), PathBuf>);

impl Places {
    /// Notes what stands in a file; gives a problem if it stands in another one already.
    pub(crate) fn note(&mut self, path: &Path, source: &Source) -> Option<Problem> {
        let kind = if is(path, OBJECT) { "object" } else { "workflow" };
        let id = source.value.get(kind)?.as_str()?;
        let place = self.0.entry((kind, id.to_owned())).or_insert_with(|| path.to_owned());
        if place != path && place.exists() {
            let message =
                format!("expected each {kind} in one file, found {id:?} again; it stands in {}", place.display());
            let problem = problem(&path.display().to_string(), pawl_definition::code::DUPLICATE_ID, message);
            let position = source.position(kind);
            let (line, column) = position.map(|position| (position.line, position.column)).unzip();
            return Some(Problem { path: kind.to_owned(), line, column, ..problem });
        }
        path.clone_into(place);
        None
    }
}

/// The objects that stand beside a file, as far as they are right; their own problems are found when they are
/// checked.
pub(crate) fn objects_beside(path: &Path) -> anyhow::Result<BTreeMap<String, Object>> {
    let mut objects = BTreeMap::new();
    for file in beside(path, OBJECT)? {
        if let Ok(source) = read(&file)
            && let (Some(object), _) = check_object(&source)
        {
            objects.insert(object.id.clone(), object);
        }
    }
    Ok(objects)
}
