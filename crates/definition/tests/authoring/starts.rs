//! What is told of the step `start_workflow`, of workflows that start each other, and of results.

use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::{Problem, Source, Workflow, check_starts};

use crate::support::{check, objects, sound};

fn text(steps: &str) -> String {
    format!("workflow: w\nowner: ada@example.com\n{steps}")
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

/// What the step says of itself.
fn told(step: &str) -> Vec<String> {
    lines(&check(&text(&format!("steps:\n  - {{id: go, type: start_workflow, {step}}}"))).1)
}

/// What is told beside the workflow `child`.
fn beside(keys: &str, step: &str) -> Vec<String> {
    let child = "workflow: child\nowner: ada@example.com\nvariables: [{name: n, type: number, required: true}, \
                 {name: when, type: date}]\nsteps: []";
    let child = sound(child);
    let others: BTreeMap<String, Workflow> = [(child.id.clone(), child)].into();
    let text = text(&format!("{keys}steps:\n  - {{id: go, type: start_workflow, {step}}}"));
    let source = Source::parse("w.yaml", &text).expect("it is YAML");
    lines(&check_starts(&source, &sound(&text), &others, (&objects(), &BTreeSet::new())))
}

#[test]
fn one_workflow_or_several_are_named() {
    assert_eq!(told("workflow: child, on: none, wait: true, timeout: 3d"), [""; 0]);
    for (step, expected) in [
        ("wait: true", "exactly_one"),
        ("workflow: child, workflows: [{workflow: child}]", "exactly_one"),
        ("workflows: [{workflow: child}], values: {n: 1}", "not_allowed"),
        ("workflow: child, on: everywhere", "invalid_value"),
        ("workflow: child, on: record", "no_record"),
        ("workflow: child, on: '{{ 1 + 1 }}'", "wrong_type"),
        ("workflow: child, timeout: 3d", "suspicious"),
        ("workflow: Child", "invalid_id"),
    ] {
        let told = told(step);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{step}: {told:#?}");
    }
}

#[test]
fn workflows_that_are_started_exist_and_take_their_values() {
    assert_eq!(beside("", "workflow: child, values: {n: 1, when: 2026-12-24}"), [""; 0]);
    for (step, expected) in [
        ("workflow: chold", "unknown_workflow steps[0].workflow: expected a workflow that exists, found \"chold\""),
        ("workflows: [{workflow: child, values: {m: 1, n: 1}}]", "unknown_variable steps[0].workflows[0].values.m"),
        ("workflow: child, values: {n: many}", "invalid_value steps[0].values.n: expected a number"),
        ("workflow: child", "missing_key steps[0].workflow: missing value \"n\""),
    ] {
        let told = beside("", step);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{step}: {told:#?}");
    }
}

#[test]
fn a_workflow_that_waits_for_itself_is_told() {
    assert_eq!(beside("", "workflow: w"), [""; 0]);
    assert!(beside("", "workflow: w, wait: true")[0].starts_with("suspicious"));
    assert!(beside("limits: {concurrency: 2}\n", "workflow: w, wait: true")[0].starts_with("not_allowed"));
}

#[test]
fn a_result_sees_steps_and_variables() {
    let file = |output: &str| {
        text(&format!(
            "variables: [{{name: n, type: number}}]\noutput: {{sum: {output}}}\nsteps: [{{id: a, type: note, text: a}}]"
        ))
    };
    assert_eq!(check(&file("vars.n + 1")).1, []);
    assert_eq!(check(&file("steps.a.status")).1, []);
    assert!(lines(&check(&file("vars.m")).1)[0].starts_with("unknown_variable output.sum"));
    assert!(lines(&check(&file("steps.b.output")).1)[0].starts_with("unknown_step output.sum"));
}
