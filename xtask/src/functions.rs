//! `cargo xtask functions`: the functions for one processor, built in one go, examined, and laid out for `sam deploy`.

mod elf;
mod processor;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail, ensure};

use crate::demo::clear;
use crate::functions::processor::Processor;
use crate::run::{execute, target, workspace};
use crate::venv::Venv;

/// Options.
#[derive(Debug, clap::Args)]
pub(crate) struct Functions {
    /// Processor of the functions, as the template's parameter `Architecture`.
    #[arg(long, value_enum, default_value_t = Processor::Arm64)]
    arch: Processor,
    /// Builds nothing, and examines the programs in a folder, such as `.aws-sam/build` after `sam build`.
    #[arg(long, value_name = "DIR")]
    check: Option<PathBuf>,
}

/// A function, by the names under which its program is found.
struct Function {
    /// Folder under functions/, and name of its binary.
    folder: String,
    /// Logical id, after which SAM names the folder of what it built.
    id: String,
}

/// Builds and examines, or examines alone.
pub(crate) fn run(options: &Functions) -> anyhow::Result<()> {
    let functions = functions()?;
    match &options.check {
        Some(folder) => examine(folder, options.arch, &functions),
        None => build(options.arch, &functions),
    }
}

/// One run of cargo builds all of them: what they share is compiled once, and their optimisations at link time run side by
/// side, where `sam build` runs cargo once for each. The same cross compiler and profile are used as there.
fn build(arch: Processor, functions: &[Function]) -> anyhow::Result<()> {
    let tools = Venv::sam()?;
    let programs = target().join("functions").join(arch.name());
    clear(&programs)?;
    let began = Instant::now();
    let packages =
        functions.iter().flat_map(|function| ["--package".to_owned(), format!("pawl-function-{}", function.folder)]);
    execute(
        Command::new(tools.program("cargo-lambda"))
            .args(["lambda", "build", "--release", "--locked", "--manifest-path", "../Cargo.toml", arch.option()])
            .args(packages)
            .arg("--lambda-dir")
            .arg(&programs)
            // Cargo reads the functions' own profile there and below.
            .current_dir(workspace().join("functions"))
            .env("PATH", tools.path()?)
            .env("CARGO_TARGET_DIR", target())
            .env("CARGO_LAMBDA_COMPILER", "cargo-zigbuild"),
    )?;
    let took = began.elapsed();
    examine(&programs, arch, functions)?;
    let folder = workspace().join(".aws-sam/build");
    lay_out(&programs, &folder, arch, functions)?;
    eprintln!("── {} s to build for {}; `sam deploy` takes {}", took.as_secs(), arch.name(), folder.display());
    Ok(())
}

/// Says what each program needs and how large it is; fails with all that would not run.
fn examine(folder: &Path, arch: Processor, functions: &[Function]) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for function in functions {
        let program = std::fs::read(program(folder, function)?)?;
        match arch.check(&program) {
            Ok(glibc) => {
                let glibc = glibc.map_or_else(|| "no glibc".to_owned(), |version| version.to_string());
                eprintln!("── {}: {} KiB, {}, {glibc}", function.folder, program.len() / 1024, arch.name());
            }
            Err(error) => wrong.push(format!("{}: {error:#}", function.folder)),
        }
    }
    ensure!(wrong.is_empty(), "functions that would not start:\n  {}", wrong.join("\n  "));
    Ok(())
}

/// Where the program of a function is: under its own name, or under that by which SAM built it.
fn program(folder: &Path, function: &Function) -> anyhow::Result<PathBuf> {
    let places = [&function.folder, &function.id].map(|name| folder.join(name).join("bootstrap"));
    let found = places.iter().find(|place| place.is_file());
    let [own, sams] = &places;
    found
        .cloned()
        .with_context(|| format!("no program of {} in {} or {}", function.folder, own.display(), sams.display()))
}

/// Writes what `sam build` would have written: the template beside the programs.
fn lay_out(programs: &Path, folder: &Path, arch: Processor, functions: &[Function]) -> anyhow::Result<()> {
    let template = workspace().join("infra/template.yaml");
    let text = std::fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
    clear(folder)?;
    for function in functions {
        let own = folder.join(&function.folder);
        std::fs::create_dir(&own).with_context(|| format!("cannot make {}", own.display()))?;
        std::fs::copy(program(programs, function)?, own.join("bootstrap"))?;
    }
    std::fs::write(folder.join("template.yaml"), built(&text, arch, functions)?).context("cannot write the template")
}

/// The template with the programs in place of sources, which can be deployed for the processor of the programs and no other.
fn built(template: &str, arch: Processor, functions: &[Function]) -> anyhow::Result<String> {
    let mut text = template.to_owned();
    let choice = "    Default: arm64\n    AllowedValues: [arm64, x86_64]\n";
    let sources = functions.iter().map(|Function { folder, .. }| {
        (format!("      CodeUri: ../functions/{folder}\n"), format!("      CodeUri: {folder}\n"))
    });
    let chosen = format!("    Default: {0}\n    AllowedValues: [{0}]\n", arch.name());
    for (source, replacement) in sources.chain([(choice.to_owned(), chosen)]) {
        let count = text.matches(&source).count();
        ensure!(count == 1, "the template says {:?} {count} times, not once", source.trim());
        text = text.replace(&source, &replacement);
    }
    Ok(text)
}

/// The functions, by their folders, in order.
fn functions() -> anyhow::Result<Vec<Function>> {
    let folder = workspace().join("functions");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("{} has no functions", folder.display());
    }
    Ok(names.into_iter().map(|folder| Function { id: pascal(&folder), folder }).collect())
}

fn pascal(folder: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    folder.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../infra/template.yaml");

    #[test]
    fn a_built_template_names_programs_and_their_processor() {
        let functions = functions().expect("there are functions");
        let text = built(TEMPLATE, Processor::X86_64, &functions).expect("the template is as it is expected");
        assert!(text.contains("    Default: x86_64\n    AllowedValues: [x86_64]\n"));
        assert!(text.contains("      CodeUri: step-executor\n") && !text.contains("../functions/"), "sources are left");
        let changed = text.lines().zip(TEMPLATE.lines()).filter(|(built, source)| built != source).count();
        assert_eq!(changed, functions.len() + 2, "and nothing else is changed");
    }

    #[test]
    fn a_template_that_does_not_name_a_function_is_refused() {
        let functions = vec![Function { folder: "missing".to_owned(), id: "Missing".to_owned() }];
        let refused = built(TEMPLATE, Processor::Arm64, &functions).expect_err("it has no such function");
        assert_eq!(refused.to_string(), "the template says \"CodeUri: ../functions/missing\" 0 times, not once");
    }

    #[test]
    fn programs_are_found_as_they_are_built_here_and_by_sam() {
        let functions = functions().expect("there are functions");
        let executor = functions.iter().find(|function| function.folder == "step-executor").expect("it is one");
        assert_eq!(executor.id, "StepExecutor");
        let missing = program(Path::new("nowhere"), executor).expect_err("there is none").to_string();
        assert!(missing.contains("nowhere/step-executor/bootstrap or nowhere/StepExecutor/bootstrap"), "{missing}");
    }
}
