//! The cases of every example pass.

use std::path::{Path, PathBuf};

use pawl_testkit::cases::{Disk, Files, run_file};

fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut folders = Disk.list(&root).expect("the folder of examples is there");
    folders.sort();
    folders
}

fn cases_of(folder: &Path) -> Vec<PathBuf> {
    let files = Disk.list(folder).expect("an example is a folder");
    files.into_iter().filter(|path| path.to_string_lossy().ends_with(".cases.yaml")).collect()
}

#[test]
fn every_example_has_cases_and_they_pass() {
    let mut failed = String::new();
    for folder in examples() {
        let files = cases_of(&folder);
        assert!(!files.is_empty(), "the example {} has no cases", folder.display());
        for report in files.iter().map(|file| run_file(file, &Disk)).filter(|report| !report.passed()) {
            failed.push_str(&report.to_string());
        }
    }
    assert!(failed.is_empty(), "{failed}");
}
