//! `pawl-soak`: an installation under inputs of chance.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use pawl_fuzz::soak::{self, Soak};

/// Sends webhooks, requests and definitions, right and hostile, to an installation of its own.
#[derive(Debug, Parser)]
#[command(name = "pawl-soak")]
struct Args {
    /// The binary `pawl`; the one beside this if absent.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// For how many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Chance begins here.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Most requests a second.
    #[arg(long, default_value_t = 40)]
    rate: u64,
    /// Most memory of the process, in MiB.
    #[arg(long, default_value_t = 1_024)]
    memory: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let beside = || std::env::current_exe().map(|own| own.with_file_name("pawl")).unwrap_or_default();
    let soak = Soak {
        binary: args.binary.unwrap_or_else(beside),
        time: Duration::from_secs(args.seconds),
        seed: args.seed,
        senders: 4,
        rate: args.rate,
        memory_mib: args.memory,
    };
    match soak::run(&soak) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
