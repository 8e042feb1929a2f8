//! What the README shows works: its files are a folder whose cases pass.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pawl_testkit::cases::{Files, run_file};

use crate::workspace::read;

/// The YAML files that the README shows, each under the name that stands in the text before it.
struct Shown(BTreeMap<PathBuf, String>);

impl Shown {
    fn new() -> Self {
        let readme = read("README.md");
        let mut shown = BTreeMap::new();
        let mut before = "";
        for (at, part) in readme.split("```").enumerate() {
            match part.strip_prefix("yaml\n").filter(|_| at % 2 == 1) {
                Some(text) => drop(shown.insert(PathBuf::from(name(before)), text.to_owned())),
                None => before = part,
            }
        }
        Self(shown)
    }
}

/// The last name of a YAML file in a text.
fn name(text: &str) -> &str {
    let mut quoted = text.split('`').filter(|word| !word.contains('\n') && word.contains(".yaml"));
    quoted.next_back().expect("the text before a file names it")
}

impl Files for Shown {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| format!("the README shows no {}", path.display()))
    }

    fn list(&self, _: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(self.0.keys().cloned().collect())
    }
}

#[test]
fn the_workflow_of_the_readme_is_right_and_its_case_passes() {
    let report = run_file(Path::new("new-lead.cases.yaml"), &Shown::new());
    assert!(report.passed() && !report.cases.is_empty(), "{report}");
}
