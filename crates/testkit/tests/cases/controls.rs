//! What people do to executions in a case.

use super::*;

const CONTROLS: &str = "
workflow: clear
owner: owner@example.com
object: person
steps:
  - {id: act, type: control_workflow, workflows: [greet], do: cancel, reason: they answered}
";

/// Runs the cases of a text beside a workflow that cancels greetings.
fn run_controls(cases: &str) -> CaseReport {
    let texts = [
        ("d/greet.workflow.yaml", WORKFLOW),
        ("d/clear.workflow.yaml", CONTROLS),
        ("d/person.object.yaml", PERSON),
        ("d/clear.cases.yaml", cases),
    ];
    let texts = texts.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    run_file(Path::new("d/clear.cases.yaml"), &Texts(BTreeMap::from(texts)))
}

#[test]
fn executions_are_open_before_a_case_and_it_says_what_is_controlled() {
    let report = run_controls(
        "
workflow: clear.workflow.yaml
records: [{object: person, id: ada, fields: {name: Ada}}, {object: person, id: bob, fields: {name: Bob}}]
cases:
  - name: one that waits is canceled, and another person's is not
    open: [{workflow: greet, record: person/ada}, {workflow: greet, record: person/bob}]
    event: {manual: {record: person/ada}}
    look_after: 1h
    expect: {status: completed, children: {greet: [{status: canceled, path: ['nap:canceled']}, {status: waiting}]}}
  - name: a paused one is canceled as well
    open: [{workflow: greet, record: person/ada, paused: true, values: {word: Bye}}]
    event: {manual: {record: person/ada}}
    expect: {status: completed, children: {greet: [{status: canceled, variables: {word: Bye}}]}}
  - name: without any there is nothing to cancel
    event: {manual: {record: person/ada}}
    expect: {status: completed, children: {greet: []}}
  - name: scripted ones are open as long as they take
    children: [{workflow: greet, takes: 3d}]
    open: [{workflow: greet, record: person/ada}]
    event: {manual: {record: person/ada}}
    expect: {children: {greet: [{status: canceled}]}}
",
    );
    assert!(report.passed(), "{report}");
}

#[test]
fn what_should_be_open_and_is_not_is_told() {
    let report = run_controls(
        "
workflow: clear.workflow.yaml
records: [{object: person, id: ada, fields: {name: Ada}}]
cases:
  - name: it ends at once
    children: [{workflow: greet}]
    open: [{workflow: greet, record: person/ada}]
    event: {manual: {record: person/ada}}
    expect: {status: completed}
",
    );
    let told = report.cases[0].difference.clone().expect("it fails");
    assert_eq!(
        told,
        "not_open: expected an execution of \"greet\" that is open before the event, found that it completed"
    );
    let report = run_controls(
        "
workflow: clear.workflow.yaml
cases:
  - name: it is no workflow of the case
    open: [{workflow: other}]
    event: {manual: {}}
    expect: {status: completed}
",
    );
    let told: Vec<_> = report.problems.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect();
    assert_eq!(told, ["unknown_workflow cases[0].open[0].workflow"]);
}
