//! Every YAML that the documents show passes the check: workflows, objects, files of cases, and parts of workflows. A block
//! that is a part of something else, or wrong on purpose, says `fragment` after `yaml`, which no reader sees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pawl_definition::{DefinitionKind, Object, Problem, Source, check_definition, check_object, check_workflow};
use pawl_testkit::cases::{Disk, Files, check_file};
use serde_json::{Value, json};

use crate::workspace::{files, is, read, root};

/// A block of YAML.
struct Block {
    /// Its document and line.
    place: String,
    text: String,
    is_fragment: bool,
}

/// The blocks of a document.
fn blocks(document: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let fence = line.trim_start();
        let Some(info) = fence.strip_prefix("```yaml") else { continue };
        let indent = line.len() - fence.len();
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
        let inside: Vec<_> = inside.map(|line| line.get(indent..).unwrap_or_default()).collect();
        blocks.push(Block {
            place: format!("{document}:{}", at + 1),
            text: inside.join("\n"),
            is_fragment: info.trim() == "fragment",
        });
    }
    blocks
}

/// What is wrong with the blocks of a document.
fn wrong(blocks: &[Block]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut objects = BTreeMap::new();
    let blocks: Vec<_> = blocks.iter().filter(|block| !block.is_fragment).collect();
    let mut read = Vec::new();
    for block in blocks {
        match Source::parse(&block.place, &block.text) {
            Ok(source) => read.push((block, source)),
            Err(problems) => wrong.extend(told(&problems)),
        }
    }
    for (_, source) in
        read.iter().filter(|(_, source)| ["fields", "object"].iter().all(|key| source.value.get(key).is_some()))
    {
        let (object, problems) = check_object(source);
        wrong.extend(told(&problems));
        objects.extend(object.map(|object| (object.id.clone(), object)));
    }
    for (block, source) in &read {
        let has = |key: &str| source.value.get(key).is_some();
        let is_object = has("fields") && has("object") && !has("steps");
        let is_part = ["workflow", "steps", "triggers"].into_iter().any(has);
        let kind = DefinitionKind::ALL.iter().copied().find(|kind| has(kind.word())).filter(|_| !is_part);
        if has("cases") {
            wrong.extend(told(&cases(block)));
        } else if let Some(kind) = kind {
            wrong.extend(told(&check_definition(kind, source, &objects).1));
        } else if !is_object && !source.value.is_null() {
            let whole = if has("workflow") { source.clone() } else { around(source, &objects) };
            wrong.extend(told(&check_workflow(&whole, &objects).1));
        }
    }
    wrong
}

/// A workflow around a list of steps, or around some of its keys. It runs on the object that the document shows.
fn around(part: &Source, objects: &BTreeMap<String, Object>) -> Source {
    let mut whole = json!({"workflow": "shown", "owner": "ada@example.com"});
    if let Some(object) = objects.keys().next().filter(|_| objects.len() == 1) {
        whole["object"] = object.as_str().into();
    }
    whole["steps"] = json!([{"id": "end", "type": "stop"}]);
    match &part.value {
        Value::Object(keys) => keys.iter().for_each(|(key, value)| whole[key] = value.clone()),
        steps => whole["steps"] = steps.clone(),
    }
    Source::from_value(&part.name, whole)
}

/// A file of cases is checked beside the example whose steps it names.
fn cases(block: &Block) -> Vec<Problem> {
    let file = Path::new("examples/support-triage/shown.cases.yaml");
    check_file(&root().join(file), &Beside { file: root().join(file), text: &block.text })
}

/// A file beside those on disk, in place of the example's own cases.
struct Beside<'a> {
    file: PathBuf,
    text: &'a str,
}

impl Files for Beside<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        if path == self.file { Ok(self.text.to_owned()) } else { Disk.read(path) }
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        Disk.list(folder)
    }
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect()
}

#[test]
fn every_yaml_that_a_document_shows_passes_the_check() {
    let documents =
        files().into_iter().filter(|file| is(file, "md") && (file.starts_with("docs/") || file == "README.md"));
    let (mut seen, mut found) = (0, Vec::new());
    for document in documents {
        let blocks = blocks(&document, &read(&document));
        seen += blocks.iter().filter(|block| !block.is_fragment).count();
        // The cases of the README are run: `readme.rs`.
        let is_run = |block: &Block| document == "README.md" && block.text.contains("\ncases:");
        let blocks: Vec<_> = blocks.into_iter().filter(|block| !is_run(block)).collect();
        found.extend(wrong(&blocks));
    }
    assert!(seen >= 6, "{seen} blocks");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_block_that_is_wrong_is_found_wherever_it_stands() {
    let fence = |info: &str, text: &str| format!("text\n\n  ```yaml{info}\n  {}\n  ```\n", text.replace('\n', "\n  "));
    let of = |text: &str| wrong(&blocks("d.md", text)).join("\n");
    let note = "- {id: a, type: note, text: x}";
    assert_eq!(of(&fence("", note)), "");
    assert_eq!(of(&fence(" fragment", "- {id: a, type: nope}")), "");
    for (text, code) in [
        ("- {id: a, type: nope}", "unknown_type"),
        ("object: a\nfields: {b: {type: nope}}", "unknown_word"),
        ("triggers: [{id: a, type: manual, x: 1}]", "unknown_key"),
        ("workflow: w\nsteps: []", "missing_key"),
        ("cases: [{nme: a}]", "unknown_key"),
        ("a: [", "syntax"),
    ] {
        let told = of(&(fence("", note) + &fence("", text)));
        assert!(told.contains(code), "{text}: {told}");
    }
}
