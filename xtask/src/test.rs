//! `cargo xtask test`: format, lints, the checks of the template and of the release workflow, all tests (those of AWS on the
//! emulator), the API against its description, the deployed template end to end, the examples' cases, ten seconds of each
//! fuzzer, and 1,000 seeds of the simulator.

use std::process::Command;
use std::time::Instant;

use crate::emulator::{self, Emulator};
use crate::run::{cargo, cargo_with, execute, target, workspace};
use crate::{api, e2e, template, workflows};

/// Seeds of the simulator in one run of the tests, by their first and their number; both parts run beside each other.
const SEEDS: [[&str; 2]; 2] = [["1", "500"], ["501", "500"]];

/// Seconds of each target of the fuzzer in one run of the tests; two run beside each other.
const FUZZ_S: &str = "10";

/// What a plain build compiles: without AWS in `pawl`, and without generators of descriptions. The targets of examples, of which
/// there are none, let cargo resolve the features of all other packages as for the tests, so that they are not compiled again.
const PLAIN: &[&str] =
    &["clippy", "--workspace", "--no-default-features", "--lib", "--bins", "--examples", "--", "--deny", "warnings"];

/// Runs everything, in one profile.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    cargo(PLAIN)?;
    template::run()?;
    workflows::run()?;
    cargo(&["build", "--workspace", "--bins"])?;
    on_emulator()?;
    api::run()?;
    e2e::run(&e2e::E2e::default())?;
    built("pawl", &["test", "examples"])?;
    built("pawl-fuzz", &["--seconds", FUZZ_S])?;
    simulated()
}

/// All seeds, in two processes: each runs one seed after the other.
fn simulated() -> anyhow::Result<()> {
    let part = |[from, seeds]: [&'static str; 2]| built("pawl-sim", &["--from", from, "--seeds", seeds]);
    std::thread::scope(|scope| {
        let parts = SEEDS.map(|seeds| scope.spawn(move || part(seeds)));
        parts.into_iter().try_for_each(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Runs a binary that was built above: `cargo run` of one package would build what it shares with others anew.
fn built(name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let words = arguments.join(" ");
    eprintln!("── {name} {words}");
    let began = Instant::now();
    let program = target().join("debug").join(name);
    execute(Command::new(program).args(arguments).current_dir(workspace()))?;
    eprintln!("── {} s: {name} {words}", began.elapsed().as_secs());
    Ok(())
}

/// All tests of the workspace, beside an emulator.
fn on_emulator() -> anyhow::Result<()> {
    let emulator = Emulator::start(emulator::Options { name: "test", auth: false })?;
    cargo_with(&["test", "--workspace"], &[(emulator::ENDPOINT, emulator.endpoint())])
}
