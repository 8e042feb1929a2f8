//! `cargo xtask tools` and `cargo xtask emulator`: what tests install and start, for work by hand.

use std::time::Duration;

use crate::emulator::{ENDPOINT, Emulator, Options};
use crate::venv::Venv;

/// Options of the emulator.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Enforces the roles of functions.
    #[arg(long)]
    auth: bool,
}

/// Installs the Python tools and says where they are.
pub(crate) fn install() -> anyhow::Result<()> {
    let (emulator, sam) = (Venv::emulator()?, Venv::sam()?);
    println!("{}", emulator.python().display());
    for program in ["sam", "cargo-lambda", "cfn-lint", "checkov"] {
        println!("{}", sam.program(program).display());
    }
    Ok(())
}

/// Runs an emulator until it is interrupted, and says how to reach it.
pub(crate) fn emulate(args: &Args) -> anyhow::Result<()> {
    let emulator = Emulator::start(Options { name: "by-hand", auth: args.auth })?;
    for (name, value) in emulator.variables() {
        println!("export {name}={value}");
    }
    println!("export {ENDPOINT}={}", emulator.endpoint());
    eprintln!("── log in {}, Python with its SDK in {}", emulator.log().display(), emulator.venv().python().display());
    loop {
        std::thread::sleep(Duration::from_hours(1));
    }
}
