//! Arrows between crates point one way, and what must be pure or ignorant is.

use std::collections::{BTreeMap, BTreeSet};

use crate::tables;
use crate::workspace::{metadata, read, tree};

/// Beginnings of names of crates that wait or spawn.
const RUNTIMES: &[&str] =
    &["tokio", "async-std", "async-executor", "async-global-executor", "smol", "futures-executor"];
/// Beginnings of names of crates of AWS.
const AWS: &[&str] = &["aws-", "aws_", "lambda_", "lambda-", "serde_dynamo"];
/// Beginnings of names of crates that speak HTTP.
const HTTP: &[&str] = &["reqwest", "hyper", "axum", "ureq"];
/// Beginnings of names of crates that store.
const STORAGE: &[&str] = &["rusqlite", "libsqlite"];

/// Beginnings of names of crates that generate descriptions.
const GENERATORS: &[&str] = &["schemars", "utoipa"];

/// What a crate must not pull in.
const IGNORANT: &[(&str, &[&[&str]])] = &[
    ("pawl-definition", &[RUNTIMES, AWS, HTTP, STORAGE]),
    ("pawl-engine", &[RUNTIMES, AWS, HTTP, STORAGE]),
    // `futures` brings its executor along, which nothing here calls.
    ("pawl-runtime", &[&["tokio"], AWS, HTTP, STORAGE]),
    ("pawl-local", &[AWS, HTTP]),
    ("pawl-connectors", &[STORAGE]),
    ("pawl-api", &[AWS, STORAGE, &["reqwest"]]),
];

/// Their packages, after `pawl-function-`.
const FUNCTIONS: [&str; 5] = ["api", "step-executor", "sweeper", "trigger-evaluator", "webhook-ingress"];

#[test]
fn crates_depend_on_each_other_as_the_table_of_the_architecture_says() {
    let written: BTreeMap<String, BTreeSet<String>> = tables::under(&read("ARCHITECTURE.md"), "### Edges")
        .into_iter()
        .map(|row| (row[0].clone(), tables::names(&row[1]).map(str::to_owned).collect()))
        .collect();
    assert_eq!(metadata().edges(), written, "the edges between crates, and those of ARCHITECTURE.md (right)");
}

#[test]
fn arrows_point_one_way() {
    let order = ["definition", "engine", "runtime"];
    let edges = metadata().edges();
    for (at, name) in order.iter().enumerate() {
        let below: BTreeSet<String> = order[..at].iter().map(ToString::to_string).collect();
        // `describe` is macros.
        let on: BTreeSet<String> = edges[*name].iter().filter(|on| *on != "describe").cloned().collect();
        assert_eq!(on, below, "{name} depends on those before it and on no other crate of the workspace");
    }
    for (name, on) in &edges {
        assert!(!on.contains("cli") && !on.contains("bench"), "{name} depends on a program");
        assert!(!on.iter().any(|on| on.starts_with("function-")), "{name} depends on a function");
    }
}

#[test]
fn crates_know_nothing_of_what_is_not_theirs() {
    for (name, kinds) in IGNORANT {
        let tree = metadata().tree(name);
        let forbidden =
            |package: &&&str| kinds.iter().flat_map(|kind| kind.iter()).any(|begin| package.starts_with(begin));
        let found: Vec<_> = tree.iter().filter(forbidden).collect();
        assert!(found.is_empty(), "{name} pulls in {found:?}");
    }
}

/// Compiling the clients of AWS takes longer than all the rest, and whoever tries the demo needs none of them.
#[test]
fn a_plain_build_of_the_program_is_without_aws() {
    let clients = |features: &str| -> Vec<String> {
        let tree = tree("pawl-cli", features).into_iter();
        tree.filter(|name| name == "pawl-aws" || AWS.iter().any(|begin| name.starts_with(begin))).collect()
    };
    assert!(clients("default").is_empty(), "`cargo run` compiles {:?}", clients("default"));
    assert!(clients("aws").iter().any(|name| name == "aws-sdk-sfn"), "released programs have AWS");
}

/// `ring` compiles in a fraction of the time; what is released, and every function, has the post-quantum key exchange of aws-lc.
/// Names of hosts are mapped by `unicode-normalization`, for which `Cargo.lock` holds `idna_adapter` at 1.1: the twenty crates
/// of ICU would be compiled for nothing else.
#[test]
fn a_plain_build_of_the_program_has_the_smaller_libraries() {
    let plain = tree("pawl-cli", "default");
    assert!(plain.contains("ring") && !plain.contains("aws-lc-rs"), "{plain:?}");
    let icu: Vec<_> = plain.iter().filter(|name| name.starts_with("icu_")).collect();
    assert!(icu.is_empty(), "`cargo update -p idna_adapter --precise 1.1.0` is missing: {icu:?}");
    assert!(tree("pawl-cli", "aws").contains("aws-lc-rs"), "released programs");
    for function in FUNCTIONS {
        let tree = tree(&format!("pawl-function-{function}"), "");
        assert!(tree.contains("aws-lc-rs") && !tree.contains("ring"), "{function}");
    }
}

/// What they generate stands in files.
#[test]
fn programs_are_built_without_generators_of_descriptions() {
    let functions = FUNCTIONS.map(|function| format!("pawl-function-{function}"));
    for package in functions.iter().map(String::as_str).chain(["pawl-cli", "pawl-fuzz", "pawl-simulator"]) {
        let tree = tree(package, "");
        let generates = |name: &&String| GENERATORS.iter().any(|begin| name.starts_with(begin));
        let found: Vec<_> = tree.iter().filter(generates).collect();
        assert!(found.is_empty(), "{package} compiles {found:?}");
    }
    assert!(tree("pawl-tests", "").contains("schemars"), "tests compare what is generated");
}
