//! `cargo xtask`: everything that developers and CI run.

mod api;
mod bench;
mod demo;
mod deployment;
mod e2e;
mod emulator;
mod functions;
mod fuzz;
mod model;
mod package;
mod profile;
mod run;
mod sim;
mod soak;
mod template;
mod test;
mod tools;
mod upgrade;
mod venv;
mod workflows;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What developers and CI run.
#[derive(Debug, Parser)]
#[command(name = "xtask", disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Installs what tests need and runs all of them.
    Test,
    /// Deploys the template on an emulator, and drives the functions end to end.
    E2e(e2e::E2e),
    /// Holds the API of the debug build against its description.
    Api,
    /// Runs the simulator.
    Sim(sim::Sim),
    /// Runs parsers and evaluation on inputs of chance.
    Fuzz(fuzz::Fuzz),
    /// Sends webhooks, requests and definitions of chance to an installation of its own.
    Soak(soak::Soak),
    /// Examines the template of an installation on AWS (SAM, cfn-lint, a security scan), and how functions are built.
    Template,
    /// Examines the workflows of GitHub Actions.
    Workflows,
    /// Builds the program from nothing as the README says, runs the demo, and says how long it takes.
    Demo,
    /// Makes an archive, a wheel and npm packages of the release binary, and runs the demo from each.
    Package,
    /// Builds the functions for one processor, examines the programs, and lays them out for `sam deploy`.
    Functions(functions::Functions),
    /// Installs the Python tools that tests and deployments use, and says where they are.
    Tools,
    /// Runs an emulator of AWS until it is interrupted.
    Emulator(tools::Args),
    /// Lets the program of another version and the present one take turns on one data folder; builds both.
    Upgrade(upgrade::Upgrade),
    /// Lets a workflow ask a small language model on this machine; downloads about 190 MB the first time.
    Model,
    /// Runs benchmarks, one JSON line each.
    Bench {
        /// `w5`, `sleepers`, `aws-cost`, `aws-latency`, `aws-scale`, `aws-load` or `cold`; all if absent.
        name: Option<String>,
    },
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Test => test::run(),
        Command::E2e(e2e) => e2e::run(&e2e),
        Command::Api => api::run(),
        Command::Sim(sim) => sim::run(&sim),
        Command::Fuzz(fuzz) => fuzz::run(&fuzz),
        Command::Soak(soak) => soak::run(&soak),
        Command::Template => template::run(),
        Command::Workflows => workflows::run(),
        Command::Demo => demo::run(),
        Command::Package => package::run(),
        Command::Functions(options) => functions::run(&options),
        Command::Tools => tools::install(),
        Command::Emulator(args) => tools::emulate(&args),
        Command::Upgrade(upgrade) => upgrade::run(&upgrade),
        Command::Model => model::run(),
        Command::Bench { name } => bench::run(name.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
