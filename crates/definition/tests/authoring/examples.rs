//! The examples: each is a real job, and none has a problem.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pawl_definition::{Object, Problem, Source, check_object, check_objects, check_workflow};

use crate::support::report;

pub(crate) fn folders() -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let entries = fs::read_dir(examples).expect("there is a folder of examples");
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// The files of a folder whose names end so.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<Source> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let named = paths.filter(|path| path.to_string_lossy().ends_with(end));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("the file can be read");
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        Source::parse(&name, &text).unwrap_or_else(|problems| panic!("{}", report(&problems)))
    };
    named.map(read).collect()
}

/// The objects of a folder, by id.
pub(crate) fn objects(folder: &Path) -> BTreeMap<String, Object> {
    let objects = files(folder, ".object.yaml").iter().filter_map(|source| check_object(source).0).collect::<Vec<_>>();
    objects.into_iter().map(|object| (object.id.clone(), object)).collect()
}

/// What is wrong in one folder.
fn problems(folder: &Path) -> Vec<Problem> {
    let sources = files(folder, ".object.yaml");
    let (objects, mut problems): (Vec<_>, Vec<_>) = sources.iter().map(check_object).unzip();
    let objects: BTreeMap<_, _> = objects.into_iter().flatten().map(|object| (object.id.clone(), object)).collect();
    for source in &sources {
        let object = source.value["object"].as_str().and_then(|id| objects.get(id));
        problems.extend(object.map(|object| check_objects(source, object, &objects, &BTreeSet::new())));
    }
    problems.extend(files(folder, ".workflow.yaml").iter().map(|source| check_workflow(source, &objects).1));
    problems.into_iter().flatten().collect()
}

#[test]
fn no_example_has_a_problem() {
    let found: Vec<_> = folders().iter().flat_map(|folder| problems(folder)).collect();
    assert!(!folders().is_empty());
    assert_eq!(report(&found), "");
}
