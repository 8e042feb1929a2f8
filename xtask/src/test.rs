//! `cargo xtask test`: format, lints, the checks of the template, all tests (those of AWS on the emulator), the deployed template end to end, the
//! examples' cases, and 2,000 seeds of the simulator.

use crate::emulator::{self, Emulator};
use crate::run::{cargo, cargo_with};
use crate::{e2e, sim, template};

/// Seeds of the simulator in one run of the tests.
const SEEDS: u64 = 2_000;

/// Runs everything, in one profile.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    template::run()?;
    cargo(&["build", "--workspace", "--bins"])?;
    on_emulator()?;
    e2e::run(&e2e::E2e::default())?;
    cargo(&["run", "--quiet", "--package", "pawl-cli", "--", "test", "examples"])?;
    sim::run(&sim::Sim::of(SEEDS))
}

/// All tests of the workspace, beside an emulator.
fn on_emulator() -> anyhow::Result<()> {
    let emulator = Emulator::start(emulator::Options { name: "test", auth: false })?;
    cargo_with(&["test", "--workspace"], &[(emulator::ENDPOINT, emulator.endpoint())])
}
