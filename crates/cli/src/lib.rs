//! `pawl`: write, check, test and run agentic workflows.
//!
//! - `args`: the command line; `commands`: one file for each command.
//! - `embedded`: the whole system in one process. `client`: talks to an installation over its API.
//! - `output`, `shown`, `logs`: all that is printed is shown, not obeyed.
//!
//! It is a library with one function, so that other packages of the workspace can turn its feature `aws` on.

mod args;
mod client;
mod coded;
mod commands;
mod embedded;
mod files;
mod logs;
mod output;
mod shown;
mod table;
mod variables;
mod when;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::args::{Args, Command, Format};
use crate::coded::Coded;

/// The exit code of bad input: a file with mistakes, a case that fails, a refused request.
const BAD_INPUT: u8 = 1;

/// The exit code of a failure that is not the user's.
const BROKEN: u8 = 2;

/// How long threads may take to end with the process.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Carries out the command line of this process; returns its exit code.
pub fn main() -> ExitCode {
    choose_cryptography();
    let args = Args::of_process();
    let json = args.as_ref().is_ok_and(|args| args.json);
    match args.and_then(|args| logs::init(&args).and_then(|()| run(args))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BAD_INPUT),
        Err(error) if error.is::<Coded>() => {
            coded::tell(&error, json);
            ExitCode::from(BAD_INPUT)
        }
        Err(error) => {
            output::complain!("error: {}", shown::shown(&format!("{error:#}")));
            ExitCode::from(BROKEN)
        }
    }
}

/// Chooses who encrypts outgoing calls. A program with AWS contains aws-lc, which clients find by themselves; a plain one has
/// ring, without the post-quantum key exchange.
fn choose_cryptography() {
    if cfg!(not(feature = "aws")) {
        // It fails if one was chosen before, which then stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Carries a command out; `false` if the input was bad and has been explained.
fn run(args: Args) -> anyhow::Result<bool> {
    let Args { endpoint, token, auth, json, command, .. } = args;
    let client = || client::Client::new(&endpoint, auth, token.as_deref(), json);
    match command {
        Command::Check { files, format } => commands::check::run(&files, if json { Format::Json } else { format }),
        Command::Init { dir } => commands::init::run(&dir),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Schema { kind } => commands::schema::run(kind),
        Command::Graph { file } => commands::graph::run(&file),
        Command::Describe { workflow } if commands::graph::is_file(&workflow) => {
            commands::graph::describe(Path::new(&workflow), json)
        }
        Command::Describe { workflow } => block_on(commands::remote::describe(client()?, &workflow)),
        Command::Explain { code } => commands::explain::run(&code, json),
        Command::Test { files } => commands::test::run(&files, json),
        Command::Demo { dir } => block_on(commands::demo::run(dir.as_deref(), json)),
        Command::Dev(dev) => block_on(commands::dev::run(dev, token)),
        Command::Remote(command) => block_on(commands::remote::run(command, client()?)),
    }
}

/// Runs a command on a runtime with a thread for each core.
fn block_on(command: impl Future<Output = anyhow::Result<bool>>) -> anyhow::Result<bool> {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = threads.block_on(command);
    // What blocks a thread, a folder on a disk that does not answer for one, is not waited for.
    threads.shutdown_timeout(LAST_WAIT);
    done
}
