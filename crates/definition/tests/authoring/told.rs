//! Workflows told in sentences.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pawl_definition::{Source, check_workflow, told};

use crate::examples::{files, folders, objects};

/// What is told of all workflows of the examples; `UPDATE=1` writes it anew. People read it: so does who reviews a change.
#[test]
fn the_examples_are_told_as_people_say_it() {
    let mut all = Vec::new();
    for folder in folders() {
        let objects = objects(&folder);
        for source in files(&folder, ".workflow.yaml") {
            let (workflow, _) = check_workflow(&source, &objects);
            all.push(told(&workflow.expect("an example has no mistake")));
        }
    }
    let all = all.join("\n---\n\n");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/authoring/files/told.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&golden, &all).expect("the file can be written");
    }
    let expected = fs::read_to_string(&golden).expect("the file can be read");
    assert!(all == expected, "UPDATE=1 writes {} anew; see what changed", golden.display());
}

#[test]
fn the_same_workflow_is_told_in_the_same_words_whatever_it_holds() {
    let text = "workflow: w\nowner: o@example.com\nsteps:\n  - {id: a, type: note, text: 'ä \u{202e}<b>'}";
    let source = Source::parse("w.workflow.yaml", text).expect("it is YAML");
    let (workflow, _) = check_workflow(&source, &BTreeMap::default());
    let workflow = workflow.expect("it has no mistake");
    assert_eq!(told(&workflow), told(&workflow));
    assert!(told(&workflow).contains("1. **a** writes into history: \"ä \u{202e}<b>\"."));
}
