//! `cargo xtask e2e`: the template itself and the functions' own binaries on an emulator, driven from outside.

use std::path::Path;

use anyhow::Context;

use crate::deployment::{Deployment, Options, STACK};
use crate::emulator::{self, Emulator};
use crate::run::{cargo, cargo_with, target};

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

/// Tests that look at what is left when all others have ended.
const AFTERWARDS: &str = "afterwards";

/// Tests at once: they wait more than they compute.
const THREADS: &str = "8";

/// Lines of each log that are shown of a run that failed.
const SHOWN: usize = 30;

/// Options.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct E2e {
    /// Runs only tests whose names contain this.
    filter: Option<String>,
}

/// Builds, deploys, drives, and takes down.
pub(crate) fn run(e2e: &E2e) -> anyhow::Result<()> {
    // As `cargo xtask test` builds, so that nothing is built twice.
    cargo(&["build", "--workspace", "--bins"])?;
    cargo(&["test", "--workspace", "--test", "e2e", "--no-run"])?;
    let emulator = Emulator::start(emulator::Options { name: "e2e", auth: true })?;
    let binaries = target().join("debug");
    let parameters: Vec<String> = PARAMETERS.iter().map(|parameter| (*parameter).to_owned()).collect();
    let options = Options { binaries: &binaries, auth: true, parameters: &parameters };
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
    let tests = |arguments: &[&str]| {
        let mut all = vec!["test", "--workspace", "--test", "e2e", "--", "--nocapture", "--test-threads", THREADS];
        all.extend(arguments);
        cargo_with(&all, &[(STACK, deployment.file().display().to_string())])
    };
    let mut proofs = vec!["--skip", AFTERWARDS];
    proofs.extend(filter);
    tests(&proofs)?;
    tests(&[AFTERWARDS])
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
