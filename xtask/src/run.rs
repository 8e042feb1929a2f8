//! Runs commands.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

/// Runs cargo in the workspace, with its output shown.
pub(crate) fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = arguments.join(" ");
    eprintln!("── cargo {words}");
    let began = Instant::now();
    let status = Command::new(cargo).args(arguments).status().with_context(|| format!("cannot run cargo {words}"))?;
    eprintln!("── {} s: cargo {words}", began.elapsed().as_secs());
    if !status.success() {
        bail!("cargo {words} failed: {status}");
    }
    Ok(())
}
