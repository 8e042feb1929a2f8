//! Files of authors: found by their names, read as sources.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::bail;
use pawl_definition::{
    Around, DefinitionKind, Definitions, Object, Problem, Source, Workflow, check_definition, check_object,
    check_workflow,
};

mod walk;

use crate::output::complain;
use crate::shown::shown;
pub(crate) use walk::Found;

/// How a workflow's file is named.
pub(crate) const WORKFLOW: &[&str] = &[".workflow.yaml", ".workflow.yml", ".workflow.json"];
/// How an object's file is named.
pub(crate) const OBJECT: &[&str] = &[".object.yaml", ".object.yml", ".object.json"];
/// How a file of test cases is named.
pub(crate) const CASES: &[&str] = &[".cases.yaml", ".cases.yml", ".cases.json"];

/// How the files of the language are named that an installation takes.
pub(crate) fn of_language() -> Vec<&'static str> {
    let others = DefinitionKind::ALL.iter().flat_map(|kind| kind.endings());
    [OBJECT, WORKFLOW].into_iter().flatten().chain(others).copied().collect()
}

/// The kind of a file that is neither a workflow nor an object.
pub(crate) fn definition_kind(path: &Path) -> Option<DefinitionKind> {
    DefinitionKind::ALL.iter().copied().find(|kind| is(path, kind.endings()))
}

/// The place of a file in the order in which files are saved: objects, what is checked against them, and workflows, which are
/// checked against both.
pub(crate) fn rank(path: &Path) -> u8 {
    match (is(path, WORKFLOW), definition_kind(path)) {
        (true, _) => 2,
        (false, Some(_)) => 1,
        (false, None) => 0,
    }
}

/// Whether a file is named so.
pub(crate) fn is(path: &Path, endings: &[&str]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    endings.iter().any(|ending| name.ends_with(ending))
}

/// The files that a list of files and folders names, each once, in order; at least one. What is passed over is told.
pub(crate) fn some(paths: &[PathBuf], endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let Found { files, passed_over, .. } = expand(paths, endings)?;
    for note in &passed_over {
        complain!("{}", shown(note));
    }
    if files.is_empty() {
        let places: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        bail!("expected files named {} in {}, found none", names(endings), places.join(", "));
    }
    Ok(files)
}

/// The files that a list of files and folders names, each once, in order. A folder stands for the files of the
/// language in it and in the folders below; a file must be named as they are.
pub(crate) fn expand(paths: &[PathBuf], endings: &[&str]) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for path in paths {
        if path.is_dir() {
            found.folder(path, endings)?;
        } else if is(path, endings) {
            found.files.push(path.clone());
        } else {
            bail!("expected a folder or a file named {}, found {}", names(endings), path.display());
        }
    }
    let mut seen = BTreeSet::new();
    found.files.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

fn names(endings: &[&str]) -> String {
    endings.iter().map(|ending| format!("*{ending}")).collect::<Vec<_>>().join(", ")
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// More bytes of a file are not read: a file may have so many less one.
const READ_MOST: u64 = 1024 * 1024 + 1;

/// Reads a file as a source. A file that cannot be read is a problem like others: those of other files are found too.
pub(crate) fn read(path: &Path) -> Result<Source, Vec<Problem>> {
    let name = path.display().to_string();
    let unreadable = |message: String| vec![problem(&name, pawl_definition::code::SYNTAX, message)];
    let bytes = bytes(path).map_err(|error| unreadable(format!("expected a file, found none: {error}")))?;
    // One that is cut at the bound may be cut in a character; that it is too long is the mistake to tell.
    let text = if bytes.len() as u64 == READ_MOST {
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        String::from_utf8(bytes).map_err(|_| unreadable("expected a text in UTF-8, found other bytes".into()))?
    };
    Source::parse(&name, &text)
}

/// Reads a regular file up to a bound: a pipe or a device might never end, or never begin.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(READ_MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A problem of a whole file.
fn problem(file: &str, code: &str, message: String) -> Problem {
    let (file, code, severity) = (file.to_owned(), code.to_owned(), pawl_definition::Level::Error);
    Problem { file, code, path: String::new(), line: None, column: None, message, suggestion: None, severity }
}

/// Which file each workflow, object and other definition stands in: a second one would save over the first for ever.
#[derive(Default)]
pub(crate) struct Places(BTreeMap<(&'static str, String), PathBuf>);

impl Places {
    /// Notes what stands in a file; gives a problem if it stands in another one already.
    pub(crate) fn note(&mut self, path: &Path, source: &Source) -> Option<Problem> {
        let kind = match definition_kind(path) {
            Some(kind) => kind.word(),
            None if is(path, OBJECT) => "object",
            None => "workflow",
        };
        let id = source.value.get(kind)?.as_str()?;
        let place = self.0.entry((kind, id.to_owned())).or_insert_with(|| path.to_owned());
        if place != path && place.exists() {
            let message =
                format!("expected each {kind} in one file, found {id:?} again; the other is in {}", place.display());
            let problem = problem(&path.display().to_string(), pawl_definition::code::DUPLICATE_ID, message);
            let position = source.position(kind);
            let (line, column) = position.map(|position| (position.line, position.column)).unzip();
            return Some(Problem { path: kind.to_owned(), line, column, ..problem });
        }
        path.clone_into(place);
        None
    }
}

/// The id of the object in a file that is not right: as it says, or by its name if it cannot be read at all.
pub(crate) fn object_id(path: &Path, source: Option<&Source>) -> Option<String> {
    let Some(source) = source else { return id_by_name(path, OBJECT) };
    source.value.get("object").and_then(serde_json::Value::as_str).map(str::to_owned)
}

/// The definition in a file that is not right: as it says, or by its name if it cannot be read at all.
pub(crate) fn definition_id(path: &Path, source: Option<&Source>) -> Option<(DefinitionKind, String)> {
    let kind = definition_kind(path)?;
    let id = match source {
        Some(source) => kind.id_of(&source.value).map(str::to_owned),
        None => id_by_name(path, kind.endings()),
    };
    Some((kind, id?))
}

fn id_by_name(path: &Path, endings: &[&str]) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    endings.iter().find_map(|end| name.strip_suffix(end)).map(str::to_owned)
}

/// What stands in folders, each file read once however many others are checked against it.
#[derive(Default)]
pub(crate) struct Folders {
    known: BTreeMap<PathBuf, Beside>,
    /// Files that were read.
    reads: usize,
}

/// What stands in one folder beside a file.
#[derive(Default)]
pub(crate) struct Beside {
    /// Its objects, as far as they are right; their own problems are found when they are checked.
    pub(crate) objects: BTreeMap<String, Object>,
    /// The ids of its objects that are not right: that is told where they stand, and nowhere else.
    pub(crate) broken: BTreeSet<String>,
    /// Its other definitions, as far as they are right.
    pub(crate) definitions: Definitions,
    /// Those that are not right.
    pub(crate) broken_definitions: BTreeSet<(DefinitionKind, String)>,
    /// Its workflows, as far as they are right.
    pub(crate) workflows: BTreeMap<String, Workflow>,
    /// The ids of its workflows that are not right.
    pub(crate) broken_workflows: BTreeSet<String>,
    /// The names of the workflow files that a file of test cases is about; none stands for all.
    tested: BTreeSet<Option<std::ffi::OsString>>,
}

impl Beside {
    /// What a file is checked against.
    pub(crate) fn around(&self) -> Around<'_> {
        let around = Around::new(&self.objects).beside(&self.broken).with(&self.definitions);
        around.beside_definitions(&self.broken_definitions)
    }

    /// Takes a definition in.
    fn define(&mut self, kind: DefinitionKind, path: &Path) {
        let source = read(path).ok().map(|source| source.for_definition());
        let checked = source.as_ref().and_then(|source| check_definition(kind, source, self.around()).0);
        match (checked, &source) {
            (Some(id), Some(source)) if self.definitions.insert(kind, &id, &source.value).is_ok() => {}
            _ => self.broken_definitions.extend(definition_id(path, source.as_ref())),
        }
    }

    /// Whether a file of test cases is about a workflow file.
    pub(crate) fn has_cases(&self, path: &Path) -> bool {
        self.tested.contains(&None) || self.tested.contains(&path.file_name().map(Into::into))
    }
}

impl Folders {
    /// What stands beside a file.
    pub(crate) fn beside(&mut self, path: &Path) -> anyhow::Result<&Beside> {
        let folder = folder_of(path);
        if !self.known.contains_key(folder) {
            let beside = self.look(folder)?;
            self.known.insert(folder.to_owned(), beside);
        }
        Ok(&self.known[folder])
    }

    fn look(&mut self, folder: &Path) -> anyhow::Result<Beside> {
        let mut beside = Beside::default();
        let (mut workflows, mut definitions) = (Vec::new(), Vec::new());
        for file in walk::inside(folder, &[of_language().as_slice(), CASES].concat())? {
            if is(&file, WORKFLOW) {
                workflows.push(file);
                continue;
            }
            if let Some(kind) = definition_kind(&file) {
                definitions.push((kind, file));
                continue;
            }
            self.reads += 1;
            let Ok(source) = read(&file) else {
                beside.broken.extend(object_id(&file, None));
                continue;
            };
            if is(&file, CASES) {
                let named = source.value.get("workflow").and_then(serde_json::Value::as_str);
                beside.tested.insert(named.and_then(|named| Path::new(named).file_name()).map(Into::into));
            } else if let (Some(object), _) = check_object(&source) {
                beside.objects.insert(object.id.clone(), object);
            } else {
                beside.broken.extend(object_id(&file, Some(&source)));
            }
        }
        for (kind, file) in definitions {
            self.reads += 1;
            beside.define(kind, &file);
        }
        // A workflow is read with the objects that it is about.
        for file in workflows {
            self.reads += 1;
            let Ok(source) = read(&file) else {
                beside.broken_workflows.extend(id_by_name(&file, WORKFLOW));
                continue;
            };
            if let (Some(workflow), _) = check_workflow(&source, beside.around()) {
                beside.workflows.insert(workflow.id.clone(), workflow);
            } else {
                let id = source.value.get("workflow").and_then(serde_json::Value::as_str);
                beside.broken_workflows.extend(id.map(str::to_owned));
            }
        }
        Ok(beside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("the folder is writable");
        path
    }

    #[test]
    fn bug_each_file_was_read_again_for_each_other() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let paths: Vec<_> = (0..50)
            .map(|number| {
                write(folder.path(), &format!("o{number}.object.yaml"), "object: o\nfields: {a: {type: text}}\n");
                write(folder.path(), &format!("c{number}.cases.yaml"), &format!("workflow: w{number}.workflow.yaml\n"));
                write(folder.path(), &format!("w{number}.workflow.yaml"), "workflow: w\n")
            })
            .collect();
        let mut folders = Folders::default();
        for path in &paths {
            assert!(folders.beside(path).expect("the folder is readable").has_cases(path));
        }
        assert!(
            !folders.beside(&paths[0]).expect("the folder is readable").has_cases(Path::new("other.workflow.yaml"))
        );
        assert_eq!(folders.reads, 150, "each object, each workflow and each file of cases once");
    }

    #[test]
    fn a_file_that_is_too_long_is_told_so_wherever_it_is_cut() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for pad in ["", "x", "xx"] {
            let path = write(folder.path(), "long.workflow.yaml", &format!("{pad}{}", "\u{20ac}".repeat(400_000)));
            let problems = read(&path).expect_err("it is too long");
            assert_eq!(problems[0].code, "file_too_large", "{problems:?}");
        }
    }
}
