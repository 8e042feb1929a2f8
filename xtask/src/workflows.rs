//! The checks of `.github/workflows`: that they are right, and what an attacker could use.

use std::process::Command;

use crate::run::{execute, workspace};
use crate::venv::Venv;

/// What is run, from the workspace's folder. Nothing asks the network.
const CHECKS: &[&[&str]] =
    &[&["actionlint", ".github/workflows/release.yml"], &["zizmor", "--offline", "--no-progress", ".github/workflows"]];

/// Runs them.
pub(crate) fn run() -> anyhow::Result<()> {
    let tools = Venv::workflows()?;
    for check in CHECKS {
        eprintln!("── {}", check.join(" "));
        execute(Command::new(tools.program(check[0])).args(&check[1..]).current_dir(workspace()))?;
    }
    Ok(())
}
