//! `pawl completions`: what completes commands and options in a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::output;

/// Prints it.
pub(crate) fn run(shell: Shell) -> anyhow::Result<bool> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "pawl", &mut script);
    output::program(&script)?;
    Ok(true)
}
