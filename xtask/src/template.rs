//! The checks of `infra/template.yaml`: SAM's own with cfn-lint, cfn-lint alone, and a security scan; and how the functions
//! that it names are built, and which of their versions is invoked.

use std::process::Command;

use anyhow::{Context, bail};

use crate::emulator::{Emulator, Options};
use crate::profile;
use crate::run::{execute, workspace};
use crate::venv::Venv;

const TEMPLATE: &str = "infra/template.yaml";

/// What is run, from the workspace's folder. Exceptions from the scan stand in its configuration, each with its reason.
const CHECKS: &[&[&str]] = &[
    &["sam", "validate", "--lint", "--template-file", TEMPLATE],
    &["cfn-lint", TEMPLATE],
    &["checkov", "--config-file", "infra/checkov.yaml", "--file", TEMPLATE],
];

/// Runs them.
pub(crate) fn run() -> anyhow::Result<()> {
    let tools = Venv::sam()?;
    for check in CHECKS {
        let words = check.join(" ");
        eprintln!("── {words}");
        let status = Command::new(tools.program(check[0]))
            .current_dir(workspace())
            .args(&check[1..])
            // A region decides which types of resources there are. SAM would tell its maker of each run.
            .envs([("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1"), ("SAM_CLI_TELEMETRY", "0")])
            .status()
            .with_context(|| format!("cannot run {words}"))?;
        if !status.success() {
            bail!("{words} failed: {status}");
        }
    }
    profile::run(&tools)?;
    versions()
}

/// Switches gradual deployment on and off on an emulator, without programs.
fn versions() -> anyhow::Result<()> {
    let emulator = Emulator::start(Options { name: "template", auth: false })?;
    let mut command = Command::new(emulator.venv().python());
    command.arg(workspace().join("tests/emulator/versions.py")).args(["--endpoint", &emulator.endpoint()]);
    execute(&mut command)
}
