//! `pawl test`: runs test cases.

use std::path::PathBuf;

use pawl_testkit::cases::{CaseReport, Disk, run_file};
use serde_json::json;

use crate::output::say;
use crate::{files, output};

/// Runs the cases of files and folders; `false` if one fails.
pub(crate) fn run(paths: &[PathBuf], json: bool) -> anyhow::Result<bool> {
    let mut failed = 0;
    let mut passed = 0;
    let mut right = true;
    for path in files::some(paths, files::CASES)? {
        let report = run_file(&path, &Disk);
        if json {
            print_json(&report);
        } else {
            output::print(&report.to_string())?;
        }
        passed += report.passed_count();
        failed += report.cases.len() - report.passed_count();
        right &= report.passed();
    }
    if !json {
        say!("{passed} passed, {failed} failed");
    }
    Ok(right)
}

/// One line for each case, and one for a file whose cases cannot run.
fn print_json(report: &CaseReport) {
    if !report.problems.is_empty() {
        say!("{}", json!({"file": report.file, "problems": report.problems}));
    }
    for case in &report.cases {
        let line = json!({
            "file": report.file,
            "case": case.name,
            "passed": case.passed,
            "path": case.path,
            "difference": case.difference,
            "virtual_s": case.virtual_duration.as_secs(),
        });
        say!("{line}");
    }
}
