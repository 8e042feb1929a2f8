//! `cargo xtask bench`: benchmarks, one JSON line each. The system under test is the release binary that users run.

use crate::run::cargo;

/// Builds and runs them.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    cargo(&["build", "--release", "--package", "pawl-cli", "--package", "pawl-bench"])?;
    let mut arguments = vec!["run", "--quiet", "--release", "--package", "pawl-bench", "--"];
    arguments.extend(name);
    cargo(&arguments)
}
