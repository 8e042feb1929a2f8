//! `cargo xtask package`: what carries the binary to people, made for this machine, and each tried in an empty place.

mod archive;
mod npm;
mod wheel;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::demo::clear;
use crate::run::{cargo, target};

/// What all packages are made from.
pub(crate) struct Built {
    /// The program.
    program: PathBuf,
    /// Its version.
    version: String,
    /// Where packages are tried.
    folder: PathBuf,
    /// Where packages go.
    dist: PathBuf,
}

/// Builds the program as it is released, with AWS, and makes and tries every package.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo(&["build", "--release", "--locked", "--package", "pawl-cli", "--features", "aws"])?;
    let folder = target().join("packages");
    clear(&folder)?;
    let dist = folder.join("dist");
    clear(&dist)?;
    let built = Built { program: target().join("release/pawl"), version: version()?, folder, dist };
    archive::make(&built)?;
    wheel::make(&built)?;
    npm::make(&built)?;
    for entry in std::fs::read_dir(&built.dist)? {
        let entry = entry?;
        eprintln!("── {} ({} KiB)", entry.path().display(), entry.metadata()?.len() / 1024);
    }
    Ok(())
}

/// The version of the workspace, which is that of xtask too.
fn version() -> anyhow::Result<String> {
    let program = target().join("release/pawl");
    let said = Command::new(&program).arg("--version").output().context("cannot run pawl")?;
    let said = String::from_utf8(said.stdout).context("a version is text")?;
    let version = env!("CARGO_PKG_VERSION");
    ensure!(said.trim() == format!("pawl {version}"), "expected pawl {version}, found {said:?}");
    Ok(version.to_owned())
}
