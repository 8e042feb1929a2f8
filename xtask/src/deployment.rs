//! The template, deployed on an emulator.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::emulator::Emulator;
use crate::run::{execute, target, workspace};

/// The variable that names the file which says what was deployed.
pub(crate) const STACK: &str = "PAWL_E2E_STACK";

/// What deploys, from the workspace's folder.
pub(crate) const SCRIPT: &str = "tests/emulator/deploy.py";

/// Name of the stack.
const NAME: &str = "pawl";

/// How it is deployed.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    /// Folder of the functions' binaries.
    pub(crate) binaries: &'a Path,
    /// The emulator enforces roles.
    pub(crate) auth: bool,
    /// Parameters of the template.
    pub(crate) parameters: &'a [String],
    /// Seconds for which queues hide a message that is being handled; as the template says if absent.
    pub(crate) visibility_s: Option<u32>,
}

/// A deployed installation.
pub(crate) struct Deployment<'a> {
    emulator: &'a Emulator,
    folder: PathBuf,
}

impl<'a> Deployment<'a> {
    /// Deploys the template as it stands.
    pub(crate) fn create(emulator: &'a Emulator, options: &Options<'_>) -> anyhow::Result<Self> {
        let folder = target().join("e2e");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let deployment = Self { emulator, folder };
        let mut command = deployment.script("deploy");
        command.arg("--binaries").arg(options.binaries);
        command.arg("--log").arg(emulator.log()).arg("--file").arg(deployment.file());
        command.args(options.auth.then_some("--auth"));
        command.args(options.visibility_s.iter().flat_map(|seconds| ["--visibility".to_owned(), seconds.to_string()]));
        command.args(options.parameters.iter().flat_map(|parameter| ["--parameter", parameter]));
        execute(&mut command)?;
        eprintln!("── infra/template.yaml is deployed, {}", deployment.file().display());
        Ok(deployment)
    }

    /// The file that says what was deployed.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("stack.json")
    }

    /// Writes what the functions logged to `<function>.log`; returns the folder.
    pub(crate) fn keep_logs(&self) -> anyhow::Result<&Path> {
        execute(self.script("logs").arg("--folder").arg(&self.folder))?;
        Ok(&self.folder)
    }

    fn script(&self, verb: &str) -> Command {
        let mut command = Command::new(self.emulator.venv().python());
        command.arg(workspace().join(SCRIPT)).arg(verb);
        command.args(["--stack", NAME, "--endpoint", &self.emulator.endpoint()]);
        command.stdin(Stdio::null());
        command
    }
}
