//! `cargo xtask soak`: an installation under inputs of chance.

use std::process::Command;

use crate::run::{cargo, execute, target, workspace};

/// Options of the soak.
#[derive(Debug, clap::Args)]
pub(crate) struct Soak {
    /// For how many minutes.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// Chance begins here.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Most requests a second.
    #[arg(long, default_value_t = 40)]
    rate: u64,
    /// Most memory of the process, in MiB.
    #[arg(long, default_value_t = 1_024)]
    memory: u64,
    /// The release binary instead of the debug one, as users run it.
    #[arg(long)]
    release: bool,
}

/// Builds both programs and runs the soak.
pub(crate) fn run(soak: &Soak) -> anyhow::Result<()> {
    let profile = if soak.release { "release" } else { "debug" };
    let mut build = vec!["build", "--workspace", "--bin", "pawl", "--bin", "pawl-soak"];
    build.extend(soak.release.then_some("--release"));
    cargo(&build)?;
    let mut command = Command::new(target().join(profile).join("pawl-soak"));
    command.args(["--seconds", &(soak.minutes * 60).to_string(), "--seed", &soak.seed.to_string()]);
    command.args(["--rate", &soak.rate.to_string(), "--memory", &soak.memory.to_string()]);
    execute(command.current_dir(workspace()))
}
