//! `cargo xtask test`: format, lints, all tests, the examples' cases, and 2,000 seeds of the simulator.

use crate::run::cargo;
use crate::sim;

/// Seeds of the simulator in one run of the tests.
const SEEDS: u64 = 2_000;

/// Runs everything, in one profile.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    cargo(&["build", "--workspace", "--bins"])?;
    cargo(&["test", "--workspace"])?;
    cargo(&["run", "--quiet", "--package", "pawl-cli", "--", "test", "examples"])?;
    sim::run(&sim::Sim::of(SEEDS))
}
