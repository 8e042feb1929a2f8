//! A type of step or trigger is at home in its own files: nobody else matches on it or knows its tag.

use pawl_definition::{StepKind, TriggerKind};
use regex::Regex;

use crate::workspace::{read, sources, without_tests};

/// Where types are at home: their files, and the registries beside them.
const HOMES: &[&str] = &[
    "crates/definition/src/step/",
    "crates/definition/src/trigger/",
    "crates/engine/src/steps/",
    "crates/engine/src/triggers/",
    "crates/runtime/src/activities/",
];

/// What writes whole definitions, as an author does, and so names types.
const AUTHORS: &[&str] = &[
    "crates/bench/",
    "crates/definition/src/validate/synonyms.rs",
    "crates/fuzz/src/make/",
    "crates/testkit/src/scenario/",
    "crates/simulator/src/script/",
];

fn strangers() -> impl Iterator<Item = (String, String)> {
    let at_home = |file: &String| HOMES.iter().chain(AUTHORS).any(|home| file.starts_with(home));
    sources().into_iter().filter(move |file| !at_home(file)).map(|file| {
        let text = without_tests(&read(&file)).to_owned();
        (file, text)
    })
}

#[test]
fn nobody_else_matches_on_a_type() {
    let variant = Regex::new(r"\b(?:StepKind|TriggerKind)::[A-Z][a-z]\w*").expect("the expression is right");
    let found: Vec<_> = strangers()
        .flat_map(|(file, text)| {
            variant.find_iter(&text).map(|found| format!("{file}: {}", found.as_str())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "a fact of a type is said by the type, in its `facts` or its shape: {found:#?}");
}

#[test]
fn nobody_else_compares_a_tag() {
    let tags = StepKind::AVAILABLE.iter().chain(TriggerKind::AVAILABLE);
    let tags: Vec<_> = tags.map(|tag| regex::escape(tag)).collect();
    let compared = format!(r#"(?:[=!]=\s*|Some\(|\(Some\(|"type"\]\s*==\s*)"(?:{})""#, tags.join("|"));
    let compared = Regex::new(&compared).expect("the expression is right");
    let found: Vec<_> = strangers()
        .flat_map(|(file, text)| {
            compared.find_iter(&text).map(|found| format!("{file}: {}", found.as_str())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "a fact of a type is looked up by its tag, in `facts_of`: {found:#?}");
}
