//! Python tools in virtual environments under the target folder, made anew when their pinned file changed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::{target, workspace};

/// A virtual environment.
#[derive(Debug, Clone)]
pub(crate) struct Venv {
    bin: PathBuf,
}

impl Venv {
    /// The emulator's.
    pub(crate) fn emulator() -> anyhow::Result<Self> {
        Self::of("emulator", "tests/emulator/requirements.txt")
    }

    /// That of a small language model and its server.
    pub(crate) fn model() -> anyhow::Result<Self> {
        Self::of("model", "tests/model/requirements.txt")
    }

    /// That of SAM, cargo-lambda, and what examines the template: another one, since their versions of the SDK differ.
    pub(crate) fn sam() -> anyhow::Result<Self> {
        Self::of("sam", "tests/emulator/requirements-sam.txt")
    }

    /// That of what holds the API against its description.
    pub(crate) fn api() -> anyhow::Result<Self> {
        Self::of("api", "tests/api/requirements.txt")
    }

    /// That of what examines the workflows of GitHub Actions.
    pub(crate) fn workflows() -> anyhow::Result<Self> {
        Self::of("workflows", "tests/workflows/requirements.txt")
    }

    /// That of what makes the wheel.
    pub(crate) fn packages() -> anyhow::Result<Self> {
        Self::of("packages", "tests/packages/requirements.txt")
    }

    /// Its Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.bin.join("python")
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The search path for programs, with its own first: cargo-lambda finds zig by the Python that is found first.
    pub(crate) fn path(&self) -> anyhow::Result<OsString> {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let places = std::iter::once(self.bin.clone()).chain(std::env::split_paths(&others));
        std::env::join_paths(places).context("the search path for programs cannot be written")
    }

    fn of(name: &str, requirements: &str) -> anyhow::Result<Self> {
        let folder = target().join("venv").join(name);
        let requirements = workspace().join(requirements);
        let venv = Self { bin: folder.join("bin") };
        let pinned = std::fs::read_to_string(&requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        // Written last, so that an environment that is half made is made again.
        let installed = folder.join("installed.txt");
        if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == pinned) {
            return Ok(venv);
        }
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        eprintln!("── python environment `{name}`");
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--requirement"];
        run(Command::new(venv.python()).args(install).arg(&requirements))?;
        std::fs::write(&installed, pinned).with_context(|| format!("cannot write {}", installed.display()))?;
        Ok(venv)
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("cannot run {program}; Python 3.11 or newer is needed"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}
