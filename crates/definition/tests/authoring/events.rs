//! What is told of the trigger `event`.

use std::collections::BTreeMap;

use pawl_definition::{Object, Source, check_object, check_workflow};

fn told_of(object: &str, trigger: &str, steps: &str) -> Vec<String> {
    let text = "object: order\nfields: {number: {type: text, unique: true}, note: {type: text}}";
    let order =
        check_object(&Source::parse("o.object.yaml", text).expect("it is YAML")).0.expect("the object is right");
    let objects: BTreeMap<String, Object> = [(order.id.clone(), order)].into();
    let text = format!("workflow: w\nowner: ada@example.com\n{object}\ntriggers: [{trigger}]\nsteps: [{steps}]\n");
    let problems = check_workflow(&Source::parse("w.yaml", &text).expect("it is YAML"), &objects).1;
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

const NOTE: &str = "{id: n, type: note, text: '{{ vars.total }} {{ trigger.event.detail.total }}'}";

#[test]
fn a_pattern_with_values_and_a_record_is_right() {
    let trigger = "{type: event, pattern: {source: [shop], detail: {total: [{numeric: ['>', 5]}]}}, \
                   record: {match: {number: trigger.event.detail.number}, create: true}, values: {total: trigger.event.detail.total}}";
    let told = told_of("object: order", trigger, NOTE);
    assert!(told.iter().all(|line| !line.contains("triggers") && !line.contains("steps")), "{told:#?}");
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    for (object, keys, expected) in [
        ("", "", "missing_key triggers[0]"),
        ("", ", pattern: {}", "invalid_value triggers[0].pattern: expected at least one key"),
        ("", ", pattern: {source: aws.s3}", "invalid_value triggers[0].pattern.source: expected a list"),
        (
            "",
            ", pattern: {detail: {a: [{prefix: 1}]}}",
            "invalid_value triggers[0].pattern.detail.a[0].prefix: expected a text",
        ),
        ("", ", pattern: [a]", "triggers[0].pattern"),
        ("", ", pattern: {source: [a]}, record: {match: {number: '1'}}", "no_record triggers[0].record"),
        ("object: order", ", pattern: {source: [a]}", "without `record` its events find none"),
        ("object: order", ", pattern: {source: [a]}, record: {match: {note: '1'}}", "is not indexed"),
        (
            "object: order",
            ", pattern: {source: [a]}, record: {match: {number: record.note}}",
            "`record` does not exist here",
        ),
        ("", ", pattern: {source: [a]}, filter: 'trigger.evnt.id == \"1\"'", "triggers[0].filter"),
    ] {
        let told = told_of(object, &format!("{{type: event{keys}}}"), "{id: n, type: note, text: x}");
        assert!(told.iter().any(|line| line.contains(expected)), "{keys}: {told:#?}");
    }
}

#[test]
fn a_step_that_waits_has_its_record() {
    let goal = |keys: &str| {
        format!("{{id: g, type: goal, timeout: 1d, on: [{{id: e, type: event, pattern: {{source: [shop]}}{keys}}}]}}")
    };
    let told =
        told_of("object: order", "{type: manual}", &goal(", filter: trigger.event.detail.number == record.number"));
    assert!(told.iter().all(|line| !line.contains("steps[0].on")), "{told:#?}");
    let told = told_of("object: order", "{type: manual}", &goal(", values: {a: '1'}"));
    assert!(told.iter().any(|line| line.starts_with("not_allowed steps[0].on[0].values")), "{told:#?}");
}
