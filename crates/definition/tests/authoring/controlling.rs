//! What is told of the step `control_workflow`.

use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::{Problem, Source, Workflow, check_starts};

use crate::support::{check, objects, sound};

fn text(keys: &str, step: &str) -> String {
    format!("workflow: w\nowner: ada@example.com\n{keys}steps:\n  - {{id: act, type: control_workflow, {step}}}")
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

/// What the step says of itself, in a workflow on tickets.
fn told(step: &str) -> Vec<String> {
    lines(&check(&text("object: ticket\n", step)).1)
}

/// What is told beside a workflow on tickets, one on companies and one without records.
fn beside(keys: &str, step: &str) -> Vec<String> {
    let others = ["object: ticket\n", "object: company\n", ""].into_iter().zip(["tickets", "companies", "alone"]);
    let other =
        |(object, id): (&str, &str)| sound(&format!("workflow: {id}\nowner: ada@example.com\n{object}steps: []"));
    let others: BTreeMap<String, Workflow> = others.map(other).map(|other| (other.id.clone(), other)).collect();
    let text = text(keys, step);
    let source = Source::parse("w.yaml", &text).expect("it is YAML");
    lines(&check_starts(&source, &sound(&text), &others, (&objects(), &BTreeSet::new())))
}

#[test]
fn workflows_are_named_and_what_is_done_to_them() {
    assert_eq!(told("workflows: [tickets], do: pause, on: record, reason: 'because of {{ record.id }}'"), [""; 0]);
    assert_eq!(told("workflows: [tickets, w], do: cancel"), [""; 0]);
    for (step, expected) in [
        ("do: pause", "missing_key"),
        ("workflows: [tickets]", "missing_key"),
        ("workflows: [], do: pause", "invalid_value"),
        ("workflows: [tickets], do: stop", "unknown_word"),
        ("workflows: [tickets], do: kill", "unknown_word"),
        ("workflows: [Tickets], do: pause", "invalid"),
        ("workflows: [tickets, tickets], do: pause", "suspicious"),
        ("workflows: [tickets], do: pause, on: everywhere", "invalid_value"),
        ("workflows: [tickets], do: pause, on: '{{ 1 + 1 }}'", "wrong_type"),
        ("workflows: [tickets], do: pause, values: {n: 1}", "unknown_key"),
        ("workflow: tickets, do: pause", "unknown_key"),
    ] {
        let told = told(step);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{step}: {told:#?}");
    }
    let global = lines(&check(&text("", "workflows: [tickets], do: pause, on: record")).1);
    assert!(global.iter().any(|line| line.starts_with("no_record")), "{global:#?}");
}

#[test]
fn words_of_other_products_are_understood() {
    let (_, problems) =
        check("workflow: w\nowner: ada@example.com\nsteps:\n  - {id: act, type: cancel_workflow, workflow: x}");
    let told: Vec<_> = problems.iter().filter_map(|problem| problem.suggestion.clone()).collect();
    assert_eq!(told, ["did you mean \"control_workflow\"?"]);
}

#[test]
fn workflows_exist_and_may_run_there() {
    let on_tickets = "object: ticket\n";
    assert_eq!(beside(on_tickets, "workflows: [tickets, w], do: pause"), [""; 0]);
    assert_eq!(beside(on_tickets, "workflows: [alone], do: pause, on: none"), [""; 0]);
    assert_eq!(beside("", "workflows: [alone], do: pause"), [""; 0]);
    assert_eq!(beside("", "workflows: [companies], do: pause, on: \"{{ ['a'] }}\""), [""; 0]);
    for (keys, step, expected) in [
        (
            on_tickets,
            "workflows: [tikets], do: pause",
            "unknown_workflow steps[0].workflows[0]: expected a workflow that exists",
        ),
        (
            on_tickets,
            "workflows: [companies], do: pause",
            "suspicious steps[0].workflows[0]: workflow \"companies\" runs on records of \"company\", and so never on this record of \"ticket\"",
        ),
        (
            on_tickets,
            "workflows: [w, alone], do: pause",
            "suspicious steps[0].workflows[1]: workflow \"alone\" runs on no record, and so never on this one: say `on: none`",
        ),
        (
            on_tickets,
            "workflows: [tickets], do: pause, on: none",
            "suspicious steps[0].workflows[0]: workflow \"tickets\" runs on records of \"ticket\"",
        ),
        (
            "",
            "workflows: [tickets], do: pause",
            "suspicious steps[0].workflows[0]: workflow \"tickets\" runs on records of \"ticket\"",
        ),
        (
            "",
            "workflows: [alone], do: pause, on: \"{{ ['a'] }}\"",
            "suspicious steps[0].workflows[0]: workflow \"alone\" runs on no record",
        ),
    ] {
        let told = beside(keys, step);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{step}: {told:#?}");
    }
}

#[test]
fn the_output_is_a_list_with_known_states() {
    let after = |test: &str| {
        let steps = format!(
            "steps:\n  - {{id: act, type: control_workflow, workflows: [w], do: pause}}\n  - {{id: test, type: condition, if: \"{test}\", yes: []}}"
        );
        lines(&check(&format!("workflow: w\nowner: ada@example.com\n{steps}")).1)
    };
    assert_eq!(
        after("steps.act.output.exists(one, one.status == 'refused' && one.error.code == 'not_controlled')"),
        [""; 0]
    );
    assert!(!after("steps.act.output[0].status == 'stopped'").is_empty());
}
