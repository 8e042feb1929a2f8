//! The processes of a function: the emulator's children that run its binary.

use std::path::Path;
use std::process::Command;

use crate::stack::Stack;

/// The processes that run a function of this installation, and of no other on this machine.
pub(crate) fn of(stack: &Stack, function: &str) -> Vec<u32> {
    let name = format!("AWS_LAMBDA_FUNCTION_NAME={}-{function}", stack.name);
    let endpoint = format!("AWS_ENDPOINT_URL={}", stack.endpoint);
    let folders = std::fs::read_dir("/proc").expect("the kernel lists processes").flatten();
    let numbers = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<u32> = numbers.filter(|number| has(*number, &[&name, &endpoint])).collect();
    found.sort_unstable();
    found
}

/// Whether the environment of a process has all of these variables. One that has ended since has none.
fn has(process: u32, variables: &[&str]) -> bool {
    let environment = std::fs::read(Path::new("/proc").join(process.to_string()).join("environ")).unwrap_or_default();
    let set: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
    variables.iter().all(|variable| set.contains(&variable.as_bytes()))
}

/// Kills a process with SIGKILL; `false` if it has ended by itself.
pub(crate) fn kill(process: u32) -> bool {
    Command::new("kill").args(["-KILL", &process.to_string()]).status().expect("the system has `kill`").success()
}
