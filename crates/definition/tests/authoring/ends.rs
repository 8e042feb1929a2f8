//! What is told of the trigger `workflow_ended`.

use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::{Object, Source, Workflow, check_object, check_starts, check_workflow};

fn objects() -> BTreeMap<String, Object> {
    let read = |id: &str| {
        let text = format!("object: {id}\nfields: {{name: {{type: text}}}}");
        check_object(&Source::parse("o.object.yaml", &text).expect("it is YAML")).0.expect("the object is right")
    };
    ["deal", "buyer"].map(|id| (id.to_owned(), read(id))).into()
}

fn source(keys: &str, trigger: &str, text: &str) -> Source {
    let text = format!(
        "workflow: w\nowner: ada@example.com\n{keys}\ntriggers: [{trigger}]\nsteps: [{{id: n, type: note, text: \"{text}\"}}]\n"
    );
    Source::parse("w.yaml", &text).expect("it is YAML")
}

fn told_of(keys: &str, trigger: &str, text: &str) -> Vec<String> {
    let problems = check_workflow(&source(keys, trigger, text), &objects()).1;
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn it_names_workflows_and_ends_or_none() {
    for keys in ["", ", workflow: other", ", workflow: [a, b]", ", status: failed", ", status: [failed, canceled]"] {
        let told = told_of("", &format!("{{type: workflow_ended{keys}}}"), "{{ trigger.execution.output.total }}");
        assert!(told.iter().all(|line| !line.contains("triggers")), "{keys}: {told:#?}");
    }
}

#[test]
fn what_can_never_fire_is_refused() {
    for (keys, expected) in [
        (", status: ended", "triggers[0].status"),
        (", workflow: []", "triggers[0].workflow"),
        (", status: []", "triggers[0].status"),
        (", workflow: 7", "triggers[0].workflow"),
        (", workflows: [a]", "workflow"),
        (", workflow: w", "not_allowed triggers[0].workflow: expected another workflow, found \"w\""),
        (", workflow: [a, w]", "not_allowed triggers[0].workflow: expected another workflow, found \"w\""),
    ] {
        let told = told_of("", &format!("{{type: workflow_ended{keys}}}"), "x");
        let of_keys: Vec<_> = told.iter().filter(|line| line.contains("triggers")).collect();
        assert_eq!(of_keys.len(), 1, "{keys}: {told:#?}");
        assert!(of_keys[0].contains(expected), "{keys}: {told:#?}");
    }
}

#[test]
fn expressions_know_what_an_end_has() {
    let told = told_of("", "{type: workflow_ended}", "{{ trigger.execution.stat }}");
    assert!(told.iter().any(|line| line.contains("steps[0].text") && line.contains("stat")), "{told:#?}");
    let told = told_of("", "{type: workflow_ended, filter: 'trigger.execution.status == \"done\"'}", "x");
    assert!(told.iter().any(|line| line.contains("triggers[0].filter")), "{told:#?}");
}

#[test]
fn workflows_beside_it_are_compared() {
    let beside = |id: &str, keys: &str| -> (String, Workflow) {
        let text = format!("workflow: {id}\nowner: a@example.com\n{keys}\nsteps: [{{id: n, type: note, text: x}}]\n");
        let read = check_workflow(&Source::parse("o.yaml", &text).expect("it is YAML"), &objects()).0;
        (id.to_owned(), read.expect("the workflow is right"))
    };
    let others: BTreeMap<_, _> =
        [beside("on-deals", "object: deal"), beside("on-buyers", "object: buyer"), beside("global", "")].into();
    let told = |keys: &str, trigger: &str| {
        let source = source(keys, trigger, "x");
        let read = check_workflow(&source, &objects()).0.expect("the workflow is right");
        let problems = check_starts(&source, &read, &others, (&objects(), &BTreeSet::new()));
        problems
            .iter()
            .map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message))
            .collect::<Vec<_>>()
    };
    let trigger = |id: &str| format!("{{type: workflow_ended, workflow: {id}}}");
    assert_eq!(told("object: deal", &trigger("on-deals")), [""; 0]);
    assert_eq!(told("", &trigger("on-deals")), [""; 0]);
    for (id, why) in [("on-buyers", "on records of \"buyer\""), ("global", "on no record")] {
        assert_eq!(
            told("object: deal", &trigger(id)),
            [format!(
                "suspicious triggers[0].workflow: this trigger never fires: \"{id}\" runs {why}, and this workflow on records of \"deal\""
            )]
        );
    }
    let unknown = told("", &trigger("[on-deals, on-deal]"));
    assert!(unknown.len() == 1 && unknown[0].starts_with("unknown_workflow triggers[0].workflow[1]"), "{unknown:#?}");
}
