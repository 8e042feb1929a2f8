//! Standard output, which may be closed early.

use std::io::{ErrorKind, Write};

/// Prints a text. Whoever closes the pipe (`pawl schema | head`) has read enough: that is no failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
