//! `cargo xtask e2e`: the template itself and the functions' own binaries on an emulator, driven from outside.

use std::path::Path;

use anyhow::Context;

use crate::deployment::{Deployment, Options, STACK};
use crate::emulator::{self, Emulator};
use crate::run::{cargo, cargo_with, target};
use crate::venv::Venv;

/// Parameters of the template. Everything else is as the template says.
const PARAMETERS: &[&str] = &[
    // The service that workflows of the tests call.
    "HttpAllow=127.0.0.1",
    // Waits of some seconds are schedules, so that tests see them fire; by default those of more than 15 minutes are.
    "LongestDelay=2",
    // No more processes at once than a small machine carries.
    "JobConcurrency=4",
    "EventConcurrency=4",
    // What workflows of the tests may start.
    "StateMachineArns=arn:aws:states:us-east-1:000000000000:stateMachine:pawl-e2e-review,\
     arn:aws:states:us-east-1:000000000000:stateMachine:pawl-e2e-callback,\
     arn:aws:states:us-east-1:000000000000:stateMachine:pawl-e2e-broken",
];

/// The template hides jobs for an hour and a half, six times the time-out of the step executor. What a killed process had
/// in hand comes back after a minute here, when the sweeper has long put its execution back on the queue; so that the
/// tests see that too, and wait for no more.
const VISIBILITY_S: u32 = 60;

/// Tests that run beside each other, those that disturb all others, and those that look at what is left in the end.
/// How many of them run at once: they wait more than they compute.
const PHASES: [(&str, &str); 3] = [("side_by_side", "16"), ("alone", "1"), ("afterwards", "1")];

/// Lines of each log that are shown of a run that failed.
const SHOWN: usize = 30;

/// The variable that names `cargo-lambda`, which wakes deployed functions by hand.
const CARGO_LAMBDA: &str = "PAWL_E2E_CARGO_LAMBDA";

/// Options.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct E2e {
    /// Runs only tests whose names contain this; all if absent.
    filter: Option<String>,
    /// A parameter of the template, `Name=Value`, as well.
    #[arg(long, value_name = "NAME=VALUE")]
    parameter: Vec<String>,
}

/// Builds, deploys, drives, and takes down.
pub(crate) fn run(e2e: &E2e) -> anyhow::Result<()> {
    // As `cargo xtask test` builds, so that nothing is built twice.
    cargo(&["build", "--workspace", "--bins"])?;
    cargo(&["test", "--workspace", "--test", "e2e", "--no-run"])?;
    let emulator = Emulator::start(emulator::Options { name: "e2e", auth: true })?;
    let binaries = target().join("debug");
    let parameters = PARAMETERS.iter().map(|parameter| (*parameter).to_owned());
    let parameters: Vec<String> = parameters.chain(e2e.parameter.iter().cloned()).collect();
    let options =
        Options { binaries: &binaries, auth: true, parameters: &parameters, visibility_s: Some(VISIBILITY_S) };
    let deployment = Deployment::create(&emulator, &options)?;
    let done = drive(&deployment, e2e.filter.as_deref());
    let logs = deployment.keep_logs()?;
    if done.is_err() {
        show(emulator.log(), |_| true)?;
        for entry in std::fs::read_dir(logs)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                show(&path, |line| line.contains(r#""WARN""#) || line.contains(r#""ERROR""#))?;
            }
        }
    }
    done
}

fn drive(deployment: &Deployment<'_>, filter: Option<&str>) -> anyhow::Result<()> {
    let variables = [
        (STACK, deployment.file().display().to_string()),
        (CARGO_LAMBDA, Venv::sam()?.program("cargo-lambda").display().to_string()),
    ];
    let tests = |names: &str, threads: &str| {
        let all = ["test", "--workspace", "--test", "e2e", "--", "--nocapture", "--test-threads", threads, names];
        cargo_with(&all, &variables)
    };
    match filter {
        Some(filter) => tests(filter, "1"),
        None => PHASES.iter().try_for_each(|(names, threads)| tests(names, threads)),
    }
}

/// Shows the end of a log.
fn show(log: &Path, chosen: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    let lines: Vec<&str> = text.lines().filter(|line| chosen(line)).collect();
    eprintln!("── the end of {}", log.display());
    for line in &lines[lines.len().saturating_sub(SHOWN)..] {
        eprintln!("{line}");
    }
    Ok(())
}
