//! The vocabulary of these tests: files as authors write them, and what they are told.

use std::collections::BTreeMap;

use pawl_definition::{Object, Problem, Source, StepKind, TriggerKind, Workflow, check_object, check_workflow};

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

/// Problems as they are shown, one a line. Words stand in place of the lists of types, which grow.
pub(crate) fn report(problems: &[Problem]) -> String {
    let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    told.replace(&listed(StepKind::AVAILABLE), "STEPS").replace(&listed(TriggerKind::AVAILABLE), "TRIGGERS")
}

/// Types as a message lists them: `a, b or c`, at most twenty of them.
fn listed(types: &[&str]) -> String {
    let mut types = types.to_vec();
    types.sort_unstable();
    if types.len() > 20 {
        return format!("{}…", types[..20].join(", "));
    }
    let last = types.pop().expect("there are types");
    format!("{} or {last}", types.join(", "))
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
