//! Standard output, which may be closed early, and standard error. All that is printed is shown, not obeyed.

use std::fmt::Arguments;
use std::io::{ErrorKind, IsTerminal, Write};

use crate::shown;

/// Prints a line for people or for programs, as `println!` does; a closed pipe is no failure.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}

/// Prints a line on standard error, as `eprintln!` does.
macro_rules! complain {
    ($($text:tt)*) => { $crate::output::error_line(format_args!($($text)*)) };
}

pub(crate) use {complain, say};

/// Prints a text. A reader that closes the pipe (`pawl schema | head`) has read enough: that is no failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    program(shown::lines(text).as_bytes())
}

/// Prints a program of our own, byte for byte: what stands in it is to be obeyed.
pub(crate) fn program(text: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a line, for what goes on for as long as somebody reads; `false` if nobody does.
pub(crate) fn offer(text: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(shown::lines(&format!("{text}\n")).as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Prints a line. A server whose reader has gone serves on, so this never fails.
pub(crate) fn line(text: Arguments<'_>) {
    if let Err(error) = print(&format!("{text}\n")) {
        tracing::error!("cannot write to standard output: {error:#}");
    }
}

/// Prints a line on standard error. If nobody reads it, nobody reads an error about it either.
pub(crate) fn error_line(text: Arguments<'_>) {
    let text = format!("{text}\n");
    let _ = std::io::stderr().lock().write_all(shown::lines(&text).as_bytes());
}

/// Shows how far something is, over what was shown before, if a person looks on; an empty text ends it.
pub(crate) fn progress(text: &str) {
    let mut errors = std::io::stderr().lock();
    if errors.is_terminal() {
        // As with any line on standard error, nobody reads an error about it.
        let _ = write!(errors, "\r\u{1b}[2K{}", shown::shown(text)).and_then(|()| errors.flush());
    }
}

/// Asks a person, if one is there: `None` if nobody is.
pub(crate) fn confirmed(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let _ = write!(std::io::stderr().lock(), "{} [y/N] ", shown::shown(question));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}
