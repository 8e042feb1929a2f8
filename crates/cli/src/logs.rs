//! Logs: readable on a terminal, JSON where asked for. They go to standard error, results to standard output.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command};

/// Starts logging.
pub(crate) fn init(args: &Args) -> anyhow::Result<()> {
    let quiet = !matches!(args.command, Command::Dev(_));
    let filter = args.log.as_deref().unwrap_or(if quiet { "error" } else { "info" });
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("--log: expected a filter such as `info` or `pawl_runtime=debug`, found {filter:?}")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if args.log_json {
        builder.json().flatten_event(true).with_current_span(false).init();
    } else {
        builder.with_target(false).compact().with_ansi(std::io::stderr().is_terminal()).init();
    }
    // A panic is a line like any other: where it happened, and what the broken invariant was.
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no text");
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked: {text}");
    }));
    Ok(())
}
