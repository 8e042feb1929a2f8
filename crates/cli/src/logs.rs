//! Logs: readable on a terminal, JSON where asked for. They go to standard error, results to standard output.

use std::io::Write;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Command};
use crate::shown;

/// Starts logging.
pub(crate) fn init(args: &Args) -> anyhow::Result<()> {
    let quiet = !matches!(args.command, Command::Dev(_));
    let filter = args.log.as_deref().unwrap_or(if quiet { "error" } else { "info" });
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("--log: expected a filter such as `info` or `pawl_runtime=debug`, found {filter:?}")
    })?;
    // No colors: a code of ours and one of a stranger's text could not be told apart.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Shown(std::io::stderr()));
    if args.log_json {
        builder.json().flatten_event(true).with_current_span(false).init();
    } else {
        builder.with_target(false).compact().init();
    }
    // A panic is a line like any other: where it happened, and what the broken invariant was.
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no text");
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked: {text}");
    }));
    Ok(())
}

/// Writes lines as they are shown, not obeyed. Each line comes as one write, and ends with the only line break that is
/// ours.
struct Shown<W>(W);

impl<W: Write> Write for Shown<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = text.strip_suffix('\n').map_or((&*text, ""), |line| (line, "\n"));
        self.0.write_all(format!("{}{end}", shown::shown(line)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::{OBEYED, is_safe};

    #[test]
    fn a_log_line_is_one_line_whatever_it_says() {
        let mut out = Vec::new();
        Shown(&mut out).write_all(format!("INFO a delivery says {OBEYED}\nINFO forged\n").as_bytes()).expect("it fits");
        let text = String::from_utf8(out).expect("it is text");
        assert!(is_safe(&text), "{text:?}");
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
    }
}
