//! A workflow asks a real small language model on this machine. By hand: it downloads about 190 MB the first time.

use std::process::Command;

use crate::run::{cargo, execute, target, workspace};
use crate::venv::Venv;

/// Builds `pawl`, starts the model's server, and lets a workflow ask it.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo(&["build", "--package", "pawl-cli"])?;
    let venv = Venv::model()?;
    let script = workspace().join("tests/model/run.py");
    execute(Command::new(venv.python()).arg(script).arg(target().join("debug/pawl")))
}
