//! Standard output, which may be closed early.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints a line for people or for programs, as `println!` does; a closed pipe is no failure.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}

pub(crate) use say;

/// Prints a text. Whoever closes the pipe (`pawl schema | head`) has read enough: that is no failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a line. A server whose reader has gone serves on, so this never fails.
pub(crate) fn line(text: Arguments<'_>) {
    if let Err(error) = print(&format!("{text}\n")) {
        tracing::error!("cannot write to standard output: {error:#}");
    }
}
