//! The vocabulary of these tests: files as authors write them, and what they are told.

use std::collections::BTreeMap;

use pawl_definition::{Object, Problem, Source, Workflow, check_object, check_workflow};

/// The objects around the workflows of these tests: `ticket`, its `company` and its `comment`s.
pub(crate) fn objects() -> BTreeMap<String, Object> {
    let files = [
        include_str!("files/ticket.object.yaml"),
        "object: company\nfields: {name: {type: text}}",
        "object: comment\nfields: {body: {type: text}}",
    ];
    let read = |text| {
        let source = Source::parse("test.object.yaml", text).expect("the object is YAML");
        let (object, problems) = check_object(&source);
        object.unwrap_or_else(|| panic!("the object has problems: {}", report(&problems)))
    };
    files.into_iter().map(read).map(|object: Object| (object.id.clone(), object)).collect()
}

/// Problems as they are shown, one a line.
pub(crate) fn report(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Checks a workflow file as it is written.
pub(crate) fn check(text: &str) -> (Option<Workflow>, Vec<Problem>) {
    match Source::parse("w.yaml", text) {
        Ok(source) => check_workflow(&source, &objects()),
        Err(problems) => (None, problems),
    }
}

/// A workflow that has no problem.
pub(crate) fn sound(text: &str) -> Workflow {
    let (workflow, problems) = check(text);
    workflow.unwrap_or_else(|| panic!("the workflow has problems:\n{}", report(&problems)))
}
