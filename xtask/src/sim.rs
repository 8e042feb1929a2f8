//! `cargo xtask sim`: the simulator.

use crate::run::cargo;

/// Options of the simulator.
#[derive(Debug, clap::Args)]
pub(crate) struct Sim {
    /// How many seeds.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// Replays one seed with its trace.
    #[arg(long)]
    seed: Option<u64>,
    /// Plants a hand-made protocol bug, which must be found.
    #[arg(long)]
    bug: Option<String>,
}

/// Runs it, in the profile of the tests.
pub(crate) fn run(sim: &Sim) -> anyhow::Result<()> {
    let seeds = sim.seeds.to_string();
    let mut arguments =
        vec!["run", "--quiet", "--package", "pawl-simulator", "--bin", "pawl-sim", "--", "--seeds", &seeds];
    let seed = sim.seed.map(|seed| seed.to_string());
    if let Some(seed) = &seed {
        arguments.extend(["--seed", seed]);
    }
    if let Some(bug) = &sim.bug {
        arguments.extend(["--bug", bug]);
    }
    cargo(&arguments)
}
