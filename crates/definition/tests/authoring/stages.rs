//! What is told of the step `set_stage`.

use std::collections::BTreeMap;

use pawl_definition::{Object, Source, check_object, check_workflow};

fn told_of(object: &str, steps: &str) -> Vec<String> {
    let read = |text: &str| {
        check_object(&Source::parse("o.object.yaml", text).expect("it is YAML")).0.expect("the object is right")
    };
    let objects: BTreeMap<String, Object> = [
        read(
            "object: deal\nfields: {name: {type: text}}\nrelationships: {buyer: {object: buyer}}\nstages: [open, won]",
        ),
        read("object: buyer\nfields: {name: {type: text}}"),
    ]
    .map(|object| (object.id.clone(), object))
    .into();
    let text = format!("workflow: w\nowner: ada@example.com\n{object}\nsteps:\n{steps}\n");
    let problems = check_workflow(&Source::parse("w.yaml", &text).expect("it is YAML"), &objects).1;
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn a_stage_is_one_of_the_object() {
    let told = told_of(
        "object: deal",
        "  - {id: a, type: set_stage, stage: won}\n  - {id: b, type: set_stage, stage: lost}\n  \
         - {id: c, type: set_stage, stage: '{{ record.stage == \"open\" }}'}\n  - {id: d, type: set_stage}",
    );
    assert!(told.iter().all(|line| !line.contains("steps[0]")), "{told:#?}");
    for (place, expected) in [("steps[1].stage", "lost"), ("steps[2].stage", "boolean"), ("steps[3]", "stage")] {
        assert!(told.iter().any(|line| line.contains(place) && line.contains(expected)), "{place}: {told:#?}");
    }
}

#[test]
fn the_record_has_an_object_with_stages() {
    let told = told_of("object: deal", "  - {id: a, type: set_stage, stage: won, target: record.buyer}");
    assert_eq!(
        told,
        ["unknown_field steps[0].stage: expected an object with `stages`, found \"buyer\", which has none"]
    );
    let told = told_of("", "  - {id: a, type: set_stage, stage: won}");
    assert!(told.iter().any(|line| line.starts_with("no_record steps[0]")), "{told:#?}");
}
