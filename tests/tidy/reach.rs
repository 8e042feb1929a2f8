//! What an item may reach is what its fields hold: whoever decides reaches nothing that steps do outside.

use std::collections::BTreeSet;

use regex::Regex;

use crate::workspace::{read, sources, without_tests};

/// The ports of what steps do outside, and what holds them.
const OUTSIDE: &str = r"\b(?:Http|Models|Secrets|StateMachines|CloudCalls|Activities|OutsidePorts|Executor|System)\b";

/// Where such a port is at home in the runtime.
const HOMES: &[&str] = &["activities/", "executor/", "executor.rs", "lib.rs", "ports/", "system.rs"];

/// The files of the evaluator, and those of the types that its fields hold.
const EVALUATOR: &[&str] = &["evaluator.rs", "evaluator/matching.rs", "evaluator/start.rs", "transitions.rs"];

#[test]
fn nothing_but_the_executor_reaches_outside() {
    let outside = Regex::new(OUTSIDE).expect("the expression is right");
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for file in sources() {
        let Some(name) = file.strip_prefix("crates/runtime/src/") else { continue };
        if HOMES.iter().any(|home| name.starts_with(home)) {
            continue;
        }
        seen.insert(name.to_owned());
        let text = read(&file);
        let code = without_tests(&text).lines().filter(|line| !line.trim().starts_with("//"));
        found.extend(code.filter(|line| outside.is_match(line)).map(|line| format!("{file}: {}", line.trim())));
    }
    let gone: Vec<_> = EVALUATOR.iter().filter(|name| !seen.contains(**name)).collect();
    assert!(gone.is_empty(), "these files of the evaluator are not where this test looks: {gone:?}");
    assert!(found.is_empty(), "what reaches outside is an activity, which the executor performs: {found:#?}");
}

/// Functions that make no outside call: they are wired without the ports for it.
const INSIDE: &[&str] = &["api", "sweeper", "trigger-evaluator"];

#[test]
fn functions_that_make_no_outside_call_are_wired_without_it() {
    let outside = Regex::new(OUTSIDE).expect("the expression is right");
    for name in INSIDE {
        let folder = format!("functions/{name}/src/");
        let files: Vec<_> = sources().into_iter().filter(|file| file.starts_with(&folder)).collect();
        assert!(files.iter().any(|file| read(file).contains("Core::new(")), "{folder} wires no core");
        for file in files {
            let text = read(&file);
            let code = without_tests(&text).lines().filter(|line| !line.trim().starts_with("//"));
            let found: Vec<_> = code.filter(|line| outside.is_match(line)).collect();
            assert!(found.is_empty(), "{file} can reach outside: {found:?}");
        }
    }
}
