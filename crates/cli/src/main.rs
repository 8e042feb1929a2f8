//! `pawl`, as a program.

use std::process::ExitCode;

/// A transition makes and drops many small values, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pawl_cli::main()
}
