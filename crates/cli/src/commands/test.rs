//! `pawl test`: runs test cases.

use std::path::PathBuf;

use pawl_testkit::cases::{Disk, run_file};

use crate::files;

/// Runs the cases of files and folders; `false` if one fails.
pub(crate) fn run(paths: &[PathBuf]) -> anyhow::Result<bool> {
    let mut failed = 0;
    let mut passed = 0;
    let mut right = true;
    for path in files::some(paths, files::CASES)? {
        let report = run_file(&path, &Disk);
        print!("{report}");
        passed += report.passed_count();
        failed += report.cases.len() - report.passed_count();
        right &= report.passed();
    }
    println!("{passed} passed, {failed} failed");
    Ok(right)
}
