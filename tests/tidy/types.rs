//! A type of step or trigger is at home in its own files: nobody else matches on it or knows its tag.

use pawl_definition::{DefinitionKind, StepKind, TriggerKind};
use regex::Regex;

use crate::workspace::{files, read, sources, without_tests};

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
fn nobody_else_matches_on_a_kind_of_event() {
    // What makes an event names its kind, and does not ask for it.
    let asked = Regex::new(r"(?:[=!]=\s*(?:\w+::)*EventType::\w+|EventType::\w+\s*(?:=>|\|))")
        .expect("the expression is right");
    let found: Vec<_> = strangers()
        .filter(|(file, _)| !file.starts_with("crates/engine/src/event/"))
        .flat_map(|(file, text)| {
            asked.find_iter(&text).map(|found| format!("{file}: {}", found.as_str())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "a fact of a kind of events is said by the kind, in its `facts`: {found:#?}");
}

#[test]
fn nobody_else_matches_on_an_effect() {
    let variant = Regex::new(r"\bEffect::[A-Z][a-z]\w*").expect("the expression is right");
    let homes = ["crates/engine/src/effect.rs", "crates/engine/src/draft.rs", "crates/runtime/src/effects/mod.rs"];
    let found: Vec<_> = strangers()
        .filter(|(file, _)| !homes.contains(&file.as_str()))
        .flat_map(|(file, text)| {
            variant.find_iter(&text).map(|found| format!("{file}: {}", found.as_str())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "what is done for an effect is said in its file in the runtime: {found:#?}");
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

/// All files of a folder that end so, as one text.
fn text(files: &[String], folder: &str, end: &str) -> String {
    files.iter().filter(|file| file.starts_with(folder) && file.ends_with(end)).map(|file| read(file)).collect()
}

/// What a type of step touches, as ARCHITECTURE.md says under "How to add".
#[test]
fn each_step_type_is_whole() {
    let files = files();
    let has = |beginning: &str| files.iter().any(|file| file.starts_with(beginning));
    let simulator = text(&files, "crates/simulator/src/script/", ".rs");
    let behaviour = text(&files, "crates/testkit/tests/behaviour/", ".rs");
    let examples = text(&files, "examples/", ".workflow.yaml");
    let language = read("docs/language.md");
    let mut missing = Vec::new();
    for tag in StepKind::AVAILABLE {
        let typed = format!("type: {tag}");
        let whole = [
            ("its keys", has(&format!("crates/definition/src/step/{tag}"))),
            ("its decision", has(&format!("crates/engine/src/steps/{tag}"))),
            ("a line of the simulator's script", simulator.contains(&format!(r#""type": "{tag}""#))),
            ("an example", examples.contains(&typed)),
            ("a test of what it does", behaviour.contains(&typed)),
            (
                "a mark in the language",
                language.contains(&format!("✓ | `{tag}`")) || language.contains(&format!("✓ `{tag}`")),
            ),
        ];
        missing.extend(whole.iter().filter(|(_, is_there)| !is_there).map(|(what, _)| format!("{tag}: {what}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// What a kind of definition file touches.
#[test]
fn each_kind_of_definition_file_is_whole() {
    let files = files();
    let behaviour = text(&files, "crates/testkit/tests/behaviour/", ".rs");
    let authoring = text(&files, "crates/definition/tests/authoring/", ".rs");
    let language = read("docs/language.md");
    let mut missing = Vec::new();
    for kind in DefinitionKind::ALL {
        let (word, plural) = (kind.word(), kind.plural());
        let variant = format!("DefinitionKind::{kind:?}");
        let whole = [
            ("its keys", files.contains(&format!("crates/definition/src/kind/{word}.rs"))),
            ("its schema", files.contains(&format!("docs/schema/{word}.schema.json"))),
            ("its routes", files.contains(&format!("crates/api/src/definitions/{word}.rs"))),
            ("a schema for editors", read("crates/cli/src/commands/schema.rs").contains(&variant)),
            ("an example", files.iter().any(|file| file.starts_with("examples/") && file.ends_with(kind.endings()[0]))),
            ("a test of its messages", authoring.contains(&variant)),
            ("a test of what reads it", behaviour.contains(&variant)),
            ("a mark in the language", language.contains(&format!("\n{word}: ")) && language.contains(plural)),
        ];
        missing.extend(whole.iter().filter(|(_, is_there)| !is_there).map(|(what, _)| format!("{word}: {what}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// What a type of trigger touches.
#[test]
fn each_trigger_type_is_whole() {
    let files = files();
    let examples = text(&files, "examples/", ".workflow.yaml");
    let language = read("docs/language.md");
    let mut missing = Vec::new();
    for tag in TriggerKind::AVAILABLE {
        let whole = [
            ("its keys", files.contains(&format!("crates/definition/src/trigger/{tag}.rs"))),
            ("its matching", files.contains(&format!("crates/engine/src/triggers/{tag}.rs"))),
            // Every workflow has the one that a person starts it by.
            ("an example", TriggerKind::facts_of(tag).by_hand || examples.contains(&format!("type: {tag}"))),
            ("a mark in the language", language.contains(&format!("✓ | `{tag}`"))),
        ];
        missing.extend(whole.iter().filter(|(_, is_there)| !is_there).map(|(what, _)| format!("{tag}: {what}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
