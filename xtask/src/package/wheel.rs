//! A wheel that carries the program.

use std::process::Command;

use super::Built;
use crate::demo::try_demo;
use crate::run::{execute, target, workspace};
use crate::venv::Venv;

/// Makes it, and installs it into an environment that has nothing else.
pub(super) fn make(built: &Built) -> anyhow::Result<()> {
    let maturin = Venv::packages()?.program("maturin");
    let mut making = Command::new(maturin);
    making.args(["build", "--release", "--out"]).arg(&built.dist);
    execute(making.env("CARGO_TARGET_DIR", target()).current_dir(workspace().join("packaging/pypi")))?;

    let environment = built.folder.join("venv");
    execute(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    let wheels = ["install", "--quiet", "--disable-pip-version-check", "--no-index", "--only-binary", ":all:"];
    execute(Command::new(pip).args(wheels).arg("--find-links").arg(&built.dist).arg("pawl-cli"))?;
    try_demo(&environment.join("bin/pawl"), &built.folder.join("empty"))
}
