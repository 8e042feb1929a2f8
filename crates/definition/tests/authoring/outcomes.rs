//! What is told of the `outcome` of a workflow.

use pawl_definition::checklist;

use crate::support::{check, sound};

fn text(outcome: &str) -> String {
    let steps = "steps:\n  - {id: find, type: find_records, object: ticket}";
    format!("workflow: w\nowner: ada@example.com\nobject: ticket\noutcome: {outcome}\n{steps}")
}

fn told(outcome: &str) -> Vec<String> {
    let (_, problems) = check(&text(outcome));
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn it_has_a_name_and_a_test_of_what_the_last_step_sees() {
    assert_eq!(told("{name: some are found, reached: size(steps.find.output) > 0, saves: 15m}"), [""; 0]);
    assert_eq!(told("{name: it is there, reached: '!blank(record.id)'}"), [""; 0]);
    for (outcome, expected) in [
        ("{reached: '!blank(record.id)'}", "missing_key outcome"),
        ("{name: done}", "missing_key outcome"),
        ("{name: ' ', reached: '!blank(record.id)'}", "blank_value outcome.name"),
        ("{name: done, reached: size(steps.find.output)}", "expression_type outcome.reached: expected true or false"),
        ("{name: done, reached: 1}", "expression_type outcome.reached: expected true or false"),
        ("{name: done, reached: true}", "suspicious outcome.reached"),
        ("{name: done, reached: 'steps.other.status == \"completed\"'}", "unknown_step outcome.reached"),
        ("{name: done, reached: 'record.nothing == 1'}", "unknown_field outcome.reached"),
        ("{name: done, reached: 'size('}", "expression_syntax outcome.reached"),
        ("{name: done, reached: '!blank(record.id)', saves: much}", "invalid_time outcome.saves"),
        ("{name: done, reached: '!blank(record.id)', cost: 1}", "unknown_key outcome.cost"),
        ("done", "wrong_type outcome"),
    ] {
        let told = told(outcome);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{outcome}: {told:#?}");
    }
}

#[test]
fn the_checklist_takes_it_for_a_named_outcome() {
    let workflow = sound(&text("{name: some are found, reached: size(steps.find.output) > 0}"));
    let item = checklist(&workflow, true).into_iter().find(|item| item.code == "outcome").expect("it is on the list");
    assert_eq!(item.detail, "\"some are found\", by `outcome.reached`");
    let without = sound("workflow: w\nowner: ada@example.com\nsteps: [{id: end, type: note, text: end}]");
    let item = checklist(&without, true).into_iter().find(|item| item.code == "outcome").expect("it is on the list");
    assert!(item.detail.starts_with("say `outcome: {name, reached}`"), "{}", item.detail);
}
