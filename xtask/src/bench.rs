//! `cargo xtask bench`: benchmarks, one JSON line each. The system under test is the release binary that users run, and for
//! those of AWS the functions' own, deployed by the template on an emulator.

use std::process::Command;

use anyhow::bail;

use crate::deployment::{Deployment, Options, SCRIPT, STACK};
use crate::emulator::{self, Emulator};
use crate::run::{cargo, execute, target, workspace};
use crate::venv::Venv;

/// Those of one process.
const EMBEDDED: &[&str] = &["w5", "listeners", "sleepers", "loop", "lanes", "bulk", "burst", "dates", "import"];
/// Those of a deployed installation.
const DEPLOYED: &[&str] = &["aws-cost", "aws-latency", "aws-scale", "aws-load"];
/// That of the functions' binaries.
const COLD: &str = "cold";

/// Builds and runs them.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    let is_chosen = |other: &&&str| name.is_none_or(|name| name == **other);
    let known = || EMBEDDED.iter().chain(DEPLOYED).chain([&COLD]);
    if known().filter(is_chosen).count() == 0 {
        let names: Vec<_> = known().copied().collect();
        bail!("expected one of {}, found {:?}", names.join(", "), name.unwrap_or_default());
    }
    if EMBEDDED.iter().any(|name| is_chosen(&name)) {
        cargo(&["build", "--release", "--workspace", "--bin", "pawl", "--bin", "pawl-bench"])?;
    }
    for name in EMBEDDED.iter().filter(is_chosen) {
        bench(name, &[])?;
    }
    if DEPLOYED.iter().chain([&COLD]).any(|name| is_chosen(&name)) {
        functions()?;
    }
    for name in DEPLOYED.iter().filter(is_chosen) {
        deployed(name)?;
    }
    if [COLD].iter().any(|name| is_chosen(&name)) {
        package()?;
        bench(COLD, &[])?;
    }
    Ok(())
}

/// Runs the binary itself: `cargo run` of one package would build what it shares with others anew.
fn bench(name: &str, variables: &[(&str, String)]) -> anyhow::Result<()> {
    let mut command = Command::new(target().join("release/pawl-bench"));
    command.arg(name).current_dir(workspace()).envs(variables.iter().map(|(name, value)| (name, value)));
    execute(&mut command)
}

/// Parameters of the template; everything else is as it is by default.
const PARAMETERS: [&str; 4] = [
    // The service that `w5` calls.
    "HttpAllow=127.0.0.1",
    // Changes that nobody listens to come together as on AWS, and the benchmarks wait for no minute.
    "UnheardWindow=2",
    // No more processes at once than a small machine carries.
    "EventConcurrency=4",
    "JobConcurrency=4",
];

/// A benchmark on an installation of its own.
fn deployed(name: &str) -> anyhow::Result<()> {
    let emulator = Emulator::start(emulator::Options { name: "bench", auth: false })?;
    let parameters = PARAMETERS.map(str::to_owned);
    let binaries = target().join("release");
    let options = Options { binaries: &binaries, auth: false, parameters: &parameters, visibility_s: None };
    let deployment = Deployment::create(&emulator, &options)?;
    bench(name, &[(STACK, deployment.file().display().to_string())])
}

/// Builds the functions as they are deployed: with their own profile, and by themselves, without what the command line asks of
/// the libraries that they share.
fn functions() -> anyhow::Result<()> {
    let folder = workspace().join("functions");
    let profile = folder.join(".cargo/config.toml").display().to_string();
    let mut arguments = ["build", "--release", "--bins", "--config", &profile].map(str::to_owned).to_vec();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            arguments
                .extend(["--package".to_owned(), format!("pawl-function-{}", entry.file_name().to_string_lossy())]);
        }
    }
    arguments.extend(["--package".to_owned(), "pawl-bench".to_owned()]);
    cargo(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Makes the functions' packages beside their binaries.
fn package() -> anyhow::Result<()> {
    let binaries = target().join("release");
    let mut command = Command::new(Venv::emulator()?.python());
    command.arg(workspace().join(SCRIPT)).arg("package").arg("--binaries").arg(&binaries);
    execute(command.arg("--folder").arg(binaries.join("packages")))
}
