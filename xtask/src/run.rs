//! Runs commands.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

/// Runs cargo in the workspace, with its output shown.
pub(crate) fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    cargo_with(arguments, &[])
}

/// The same, with variables of its own.
pub(crate) fn cargo_with(arguments: &[&str], variables: &[(&str, String)]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = arguments.join(" ");
    eprintln!("── cargo {words}");
    let began = Instant::now();
    let mut command = Command::new(cargo);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    let status = command.status().with_context(|| format!("cannot run cargo {words}"))?;
    eprintln!("── {} s: cargo {words}", began.elapsed().as_secs());
    if !status.success() {
        bail!("cargo {words} failed: {status}");
    }
    Ok(())
}

/// Runs a command, with its output shown.
pub(crate) fn execute(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// The folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("xtask stands in a folder of the workspace").to_owned()
}

/// Where cargo builds, and what is installed for tests is kept.
pub(crate) fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    workspace().join(folder)
}
