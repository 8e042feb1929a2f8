//! `cargo xtask fuzz`: parsers and evaluation on inputs of chance.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{cargo, execute, target, workspace};

/// Options of the fuzzer.
#[derive(Debug, clap::Args)]
pub(crate) struct Fuzz {
    /// The target; all of them if absent.
    target: Option<String>,
    /// For how many seconds each.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Chance begins here.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs one input again.
    #[arg(long)]
    input: Option<PathBuf>,
}

/// Builds the program and runs it.
pub(crate) fn run(fuzz: &Fuzz) -> anyhow::Result<()> {
    cargo(&["build", "--workspace", "--bin", "pawl-fuzz"])?;
    let mut command = Command::new(target().join("debug/pawl-fuzz"));
    command.args(&fuzz.target).args(["--seconds", &fuzz.seconds.to_string(), "--seed", &fuzz.seed.to_string()]);
    command.arg("--folder").arg(target().join("fuzz"));
    if let Some(input) = &fuzz.input {
        command.arg("--input").arg(input);
    }
    execute(command.current_dir(workspace()))
}
