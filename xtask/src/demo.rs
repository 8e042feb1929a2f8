//! `cargo xtask demo`: what the README begins with, from an empty target folder, and how long it takes.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::run::{cargo, execute, target};

/// Whoever tries it on two cores waits no longer.
const MOST: Duration = Duration::from_mins(3);

/// Builds the program as `cargo run --release` does, runs the demo in an empty folder, and asks for what it does not have.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = target().join("demo");
    clear(&folder)?;
    let build = folder.join("target");
    let began = Instant::now();
    cargo(&["build", "--release", "--locked", "--package", "pawl-cli", "--target-dir", &build.display().to_string()])?;
    let program = build.join("release/pawl");
    try_demo(&program, &folder.join("empty"))?;
    let took = began.elapsed();
    eprintln!("── {} s from a clone to the end of the demo", took.as_secs());
    let refused = Command::new(&program).args(["--auth", "sigv4", "workflows"]).output().context("cannot run pawl")?;
    let told = String::from_utf8_lossy(&refused.stderr);
    ensure!(told.contains("[built_without_aws]"), "a plain build says that it is without AWS, found {told:?}");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    ensure!(took <= MOST || cores < 2, "expected at most {} s", MOST.as_secs());
    Ok(())
}

/// Runs the demo of a program in a folder that is empty, before and after.
pub(crate) fn try_demo(program: &Path, folder: &Path) -> anyhow::Result<()> {
    clear(folder)?;
    execute(Command::new(program).arg("demo").current_dir(folder))?;
    let left = std::fs::read_dir(folder)?.count();
    ensure!(left == 0, "the demo left {left} files in {}", folder.display());
    Ok(())
}

/// Makes a folder, empty.
pub(crate) fn clear(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
