//! Sound files with one thing changed: nothing makes the check panic, and it leaves nothing for the reading to refuse.

use std::collections::BTreeSet;

use pawl_definition::{Problem, Source, check_object, check_workflow};
use serde_json::{Value, json};

use crate::support::{objects, report};

/// Every file that is made of a sound one by putting another value in one place, or taking one out.
fn mutations(file: &Value) -> Vec<Value> {
    let others = [json!(null), json!([]), json!({}), json!("x"), json!(-1), json!("{{ 1 + }}")];
    let mut all = Vec::new();
    for pointer in pointers(file, "") {
        for other in &others {
            let mut changed = file.clone();
            *changed.pointer_mut(&pointer).expect("the pointer is of this file") = other.clone();
            all.push(changed);
        }
        let (above, last) = pointer.rsplit_once('/').unwrap_or_default();
        let mut changed = file.clone();
        if let Some(Value::Object(keys)) = changed.pointer_mut(above) {
            let value = keys.remove(&last.replace("~1", "/").replace("~0", "~"));
            keys.insert("surprise".to_owned(), value.unwrap_or_default());
            all.push(changed);
        }
    }
    all
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(keys) => {
            keys.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(values) => values.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let inside = below.into_iter().flat_map(|(name, value)| pointers(value, &format!("{at}/{name}")));
    std::iter::once(at.to_owned()).chain(inside).collect()
}

fn parsed(text: &str) -> Value {
    Source::parse("w.yaml", text).expect("the text is YAML").value
}

/// The problem that is left when the check missed what the types refuse.
fn missed(problem: &Problem) -> bool {
    problem.path.is_empty() && problem.code == "invalid_value"
}

#[test]
fn a_workflow_is_given_if_and_only_if_no_problem_is_an_error() {
    let objects = objects();
    let files = [include_str!("files/sound.workflow.yaml"), include_str!("files/every-type.workflow.yaml")];
    let mut gaps = BTreeSet::new();
    for file in files.into_iter().flat_map(|text| mutations(&parsed(text))) {
        let (workflow, problems) = check_workflow(&Source::from_value("w.yaml", file.clone()), &objects);
        let errors = problems.iter().any(Problem::is_error);
        assert_eq!(workflow.is_none(), errors, "{file}");
        gaps.extend(problems.into_iter().filter(missed).map(|problem| problem.message));
    }
    assert_eq!(gaps, BTreeSet::new(), "refused by the types, not by the check");
}

#[test]
fn an_object_is_given_if_and_only_if_no_problem_is_an_error() {
    for file in mutations(&parsed(include_str!("files/ticket.object.yaml"))) {
        let (object, problems) = check_object(&Source::from_value("o.yaml", file.clone()));
        assert_eq!(object.is_none(), !problems.is_empty(), "{file}");
        assert!(!problems.iter().any(missed), "{}\n{file}", report(&problems));
    }
}

#[test]
fn no_beginning_of_a_file_makes_it_panic() {
    let text = include_str!("files/sound.workflow.yaml");
    for (at, _) in text.char_indices() {
        if let Ok(source) = Source::parse("w.yaml", &text[..at]) {
            let _ = check_workflow(&source, &objects());
        }
    }
}
