//! Two npm packages: `pawl-cli`, and one with the program of this platform, on which it depends.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};

use super::Built;
use crate::demo::{clear, try_demo};
use crate::run::{execute, workspace};

/// The package that people install.
const NAME: &str = "pawl-cli";

/// Platforms of a release, as npm calls them: operating system, processor, C library.
const PLATFORMS: &[(&str, &str, Option<&str>)] =
    &[("linux", "x64", Some("glibc")), ("linux", "arm64", Some("glibc")), ("darwin", "arm64", None)];

/// Makes them, and installs both into a project that has nothing else.
pub(super) fn make(built: &Built) -> anyhow::Result<()> {
    let (os, cpu) = here()?;
    let packages = [pack(built, &main(built)?)?, pack(built, &of_platform(built, os, cpu)?)?];

    let project = built.folder.join("npm-project");
    clear(&project)?;
    std::fs::write(project.join("package.json"), "{}")?;
    let install = ["install", "--offline", "--no-audit", "--no-fund", "--loglevel", "error"];
    execute(Command::new("npm").args(install).args(&packages).current_dir(&project))?;
    let program = project.join("node_modules/.bin/pawl");
    try_demo(&program, &built.folder.join("empty"))?;
    let refused = Command::new(&program).args(["explain", "nothing"]).current_dir(&project).output()?;
    ensure!(refused.status.code() == Some(1), "it ends as the program ends, found {}", refused.status);
    execute(Command::new("npx").args(["--no-install", "pawl", "--version"]).current_dir(&project))
}

/// This platform, if it is one of a release.
fn here() -> anyhow::Result<(&'static str, &'static str)> {
    let os = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let known = PLATFORMS.iter().find(|(its_os, its_cpu, _)| *its_os == os && *its_cpu == cpu);
    match known {
        Some((os, cpu, _)) => Ok((os, cpu)),
        None => bail!("npm packages are made for {PLATFORMS:?}, found {os} on {cpu}"),
    }
}

fn name_of(os: &str, cpu: &str) -> String {
    format!("{NAME}-{os}-{cpu}")
}

/// The folder of the package that people install, with its version and what it depends on.
fn main(built: &Built) -> anyhow::Result<PathBuf> {
    let template = workspace().join("packaging/npm");
    let text = std::fs::read_to_string(template.join("package.json")).context("cannot read packaging/npm")?;
    let mut package: Value = serde_json::from_str(&text).context("package.json is JSON")?;
    let platforms = PLATFORMS.iter().map(|(os, cpu, _)| (name_of(os, cpu), json!(built.version)));
    package["version"] = json!(built.version);
    package["optionalDependencies"] = Value::Object(platforms.collect::<Map<_, _>>());
    let folder = write(built, NAME, &package)?;
    for file in ["pawl.js", "README.md"] {
        std::fs::copy(template.join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    Ok(folder)
}

/// The folder of the package with the program.
fn of_platform(built: &Built, os: &str, cpu: &str) -> anyhow::Result<PathBuf> {
    let name = name_of(os, cpu);
    let libc = PLATFORMS.iter().find(|known| (known.0, known.1) == (os, cpu)).and_then(|known| known.2);
    let mut package = json!({
        "name": name,
        "version": built.version,
        "description": format!("The program of {NAME} for {os} on {cpu}"),
        "license": "MIT OR Apache-2.0",
        "files": ["pawl"],
        "os": [os],
        "cpu": [cpu],
    });
    if let Some(libc) = libc {
        package["libc"] = json!([libc]);
    }
    let folder = write(built, &name, &package)?;
    std::fs::copy(&built.program, folder.join("pawl")).context("cannot copy the program")?;
    Ok(folder)
}

/// A package's folder, with its description and the licences.
fn write(built: &Built, name: &str, package: &Value) -> anyhow::Result<PathBuf> {
    let folder = built.folder.join("npm").join(name);
    clear(&folder)?;
    std::fs::write(folder.join("package.json"), format!("{package:#}\n"))?;
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        std::fs::copy(workspace().join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    Ok(folder)
}

/// Packs a folder; returns the file.
fn pack(built: &Built, folder: &Path) -> anyhow::Result<PathBuf> {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--loglevel", "error", "--pack-destination"]).arg(&built.dist).arg(folder);
    execute(&mut pack)?;
    let name = folder.file_name().context("a package's folder has its name")?.to_string_lossy();
    let file = built.dist.join(format!("{name}-{}.tgz", built.version));
    ensure!(file.is_file(), "npm packed no {}", file.display());
    Ok(file)
}
