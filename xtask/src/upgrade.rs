//! `cargo xtask upgrade`: the program of another version and the present one take turns on one data folder.

use std::process::Command;

use crate::run::{cargo, cargo_with, execute, target, workspace};

/// Which version the present one takes turns with.
#[derive(Debug, clap::Args)]
pub(crate) struct Upgrade {
    /// A tag or another name of a commit: that of the release before.
    #[arg(long)]
    from: String,
}

/// Builds the program of that version from its own sources, and lets the two serve the same folder in turn, each killed amid
/// its work.
pub(crate) fn run(upgrade: &Upgrade) -> anyhow::Result<()> {
    let folder = target().join("upgrade");
    let sources = folder.join("sources");
    if sources.exists() {
        git(&["worktree", "remove", "--force", &sources.display().to_string()])?;
    }
    git(&["worktree", "add", "--force", "--detach", &sources.display().to_string(), &upgrade.from])?;
    let (manifest, build) = (sources.join("Cargo.toml").display().to_string(), folder.join("target"));
    let build_arguments = ["build", "--locked", "--manifest-path", &manifest, "--package", "pawl-cli", "--target-dir"];
    let outcome = cargo(&[&build_arguments[..], &[&build.display().to_string()]].concat());
    git(&["worktree", "remove", "--force", &sources.display().to_string()])?;
    outcome?;
    let other = build.join("debug/pawl").display().to_string();
    let test = ["test", "--workspace", "--test", "sigkill"];
    cargo_with(&test, &[("PAWL_OTHER_VERSION", other)])
}

fn git(arguments: &[&str]) -> anyhow::Result<()> {
    execute(Command::new("git").args(arguments).current_dir(workspace()))
}
