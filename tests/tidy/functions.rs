//! A function is a folder, a binary, a name in the log and a folder of events, and all four are one word.

use std::collections::BTreeSet;

use regex::Regex;

use crate::workspace::{files, is, read};

/// Lines of a `main.rs`: it wires, and decides nothing.
const MAIN_MOST: usize = 40;

/// The folders under `functions/`.
fn functions() -> BTreeSet<String> {
    let files = files();
    let names = files.iter().filter_map(|file| file.strip_prefix("functions/")?.split_once('/'));
    names.filter(|(name, _)| !name.starts_with('.')).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_function_has_its_events_and_every_event_a_function() {
    let files = files();
    let cases = files.iter().filter(|file| is(file, "json")).filter_map(|file| file.strip_prefix("events/"));
    let with_events: BTreeSet<String> =
        cases.filter_map(|file| file.split_once('/')).map(|(name, _)| name.to_owned()).collect();
    assert_eq!(functions(), with_events, "the folders under functions/, and those under events/ (right)");
}

#[test]
fn a_function_has_one_name() {
    for name in functions() {
        let manifest = read(&format!("functions/{name}/Cargo.toml"));
        for line in [format!("name = \"pawl-function-{name}\""), format!("name = \"{name}\"")] {
            assert!(manifest.lines().any(|found| found == line), "functions/{name}/Cargo.toml has no line {line}");
        }
        let library = read(&format!("functions/{name}/src/lib.rs"));
        let line = format!("pub const NAME: &str = \"{name}\";");
        assert!(library.contains(&line), "functions/{name}/src/lib.rs has no line {line}");
    }
}

#[test]
fn a_main_wires_and_decides_nothing() {
    let decides = Regex::new(r"\b(if|match|while|for|loop)\b").expect("the expression is right");
    for name in functions() {
        let path = format!("functions/{name}/src/main.rs");
        let text = read(&path);
        let count = text.lines().count();
        assert!(count <= MAIN_MOST, "{path} has {count} lines, more than {MAIN_MOST}");
        let code = text.lines().filter(|line| !line.trim().starts_with("//"));
        let found: Vec<_> = code.filter(|line| decides.is_match(line)).collect();
        assert!(found.is_empty(), "{path} decides: {found:?}");
        assert!(text.contains("NAME"), "{path} starts under another name than that of its library");
    }
}

/// SAM gives cargo-lambda no profile, so the functions' own stands where cargo looks from their folders. cargo-lambda sets by
/// itself, over that, whatever the root manifest does not say: a panic would then abort, and fail all jobs of a batch.
#[test]
fn functions_have_a_profile_of_their_own() {
    let own = read("functions/.cargo/config.toml");
    for line in ["opt-level = \"s\"", "lto = \"fat\"", "codegen-units = 1", "panic = \"unwind\"", "strip = \"symbols\""]
    {
        assert!(release(&own).any(|found| found == line), "functions/.cargo/config.toml does not say {line}");
    }
    let manifest = read("Cargo.toml");
    for key in ["lto", "codegen-units", "panic", "strip"] {
        let says = |line: &str| line.split_once(" = ").is_some_and(|(found, _)| found == key);
        assert!(release(&manifest).any(says), "the release profile of the root manifest does not say {key}");
    }
}

/// The lines of a release profile.
fn release(text: &str) -> impl Iterator<Item = &str> {
    let release = text.split("\n[profile.release]\n").nth(1).expect("there is a release profile");
    release.split("\n[").next().unwrap_or(release).lines()
}
