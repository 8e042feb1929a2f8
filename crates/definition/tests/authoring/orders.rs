//! Workflows over orders, and what is told of them.

use std::collections::BTreeMap;

use pawl_definition::{Object, Source, check_object, check_workflow};

/// An order of a customer, with its parts.
fn objects() -> BTreeMap<String, Object> {
    let files = [
        "object: order
fields:
  status: {type: option, options: [new, paid]}
  total: {type: number}
  note: {type: text}
  due: {type: date}
  rush: {type: boolean}
  labels: {type: option, options: [a, b], many: true}
  extra: {type: object}
relationships: {customer: {object: customer}, parts: {object: part, many: true}}",
        "object: customer\nfields: {email: {type: email}}",
        "object: part\nfields: {name: {type: text}, count: {type: number}}",
    ];
    let read = |text| check_object(&Source::parse("o.object.yaml", text).expect("it is YAML")).0.expect("it is right");
    files.into_iter().map(read).map(|object: Object| (object.id.clone(), object)).collect()
}

/// What is told of a workflow over orders with these parts, without file and severity.
pub(crate) fn told_of(parts: &str) -> Vec<String> {
    let text = format!("workflow: w\nowner: ada@example.com\nobject: order\n{parts}");
    let problems = match Source::parse("w.yaml", &text) {
        Ok(source) => check_workflow(&source, &objects()).1,
        Err(problems) => problems,
    };
    let line = |problem: &pawl_definition::Problem| {
        let mark = if problem.is_error() { "" } else { "warning " };
        let near = problem.suggestion.as_ref().map_or_else(String::new, |near| format!("; {near}"));
        format!("{mark}{} {}: {}{near}", problem.code, problem.path, problem.message)
    };
    problems.iter().map(line).collect()
}
