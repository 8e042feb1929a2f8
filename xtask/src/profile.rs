//! How functions are built: `functions/.cargo/config.toml`, as it arrives through cargo-lambda, which SAM runs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::run::workspace;
use crate::venv::Venv;

/// What each function is compiled with.
const EXPECTED: &[(&str, &str)] = &[("opt_level", "s"), ("lto", "fat"), ("panic", "unwind")];

/// Asks, for each function, how cargo would build it. Nothing is built.
pub(crate) fn run(tools: &Venv) -> anyhow::Result<()> {
    let folder = workspace().join("functions");
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let function = entry?.path();
        if function.join("Cargo.toml").is_file() {
            check(tools, &function)?;
        }
    }
    Ok(())
}

fn check(tools: &Venv, function: &Path) -> anyhow::Result<()> {
    let name = function.file_name().unwrap_or_default().to_string_lossy();
    let profile = profile(tools, function, &name).with_context(|| format!("cannot tell how {name} is built"))?;
    for (key, expected) in EXPECTED {
        ensure!(profile[key] == *expected, "{name} is built with {key} {}, not {expected}", profile[key]);
    }
    ensure!(profile["codegen_units"] == json!(1), "{name} is built in {} units, not 1", profile["codegen_units"]);
    eprintln!("── {name}: cargo-lambda builds it for size");
    Ok(())
}

/// The profile of a function's binary, when cargo-lambda is run as SAM runs it: in its folder, with `--release`.
fn profile(tools: &Venv, function: &Path, name: &str) -> anyhow::Result<Value> {
    let output = Command::new(tools.program("cargo-lambda"))
        .args(["lambda", "build", "--release"])
        .current_dir(function)
        // cargo says what it would do, which only its unstable interface can.
        .env("CARGO_LAMBDA_COMPILER", "cargo")
        .env("CARGO_LAMBDA_COMPILER_EXTRA_ARGS", "--unit-graph -Z unstable-options")
        .env("RUSTC_BOOTSTRAP", "1")
        .output()
        .context("cannot run cargo-lambda")?;
    let told = String::from_utf8_lossy(&output.stdout);
    let Some(graph) = told.lines().next().filter(|_| output.status.success()) else {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    };
    let graph: Value = serde_json::from_str(graph).context("cargo writes its graph as JSON")?;
    let units = graph["units"].as_array().context("the graph has units")?;
    let binary = |unit: &&Value| unit["target"]["name"] == *name && unit["target"]["kind"] == json!(["bin"]);
    let unit = units.iter().find(binary).context("the function is a binary")?;
    Ok(unit["profile"].clone())
}
