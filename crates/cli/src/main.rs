//! `pawl`, as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    pawl_cli::main()
}
