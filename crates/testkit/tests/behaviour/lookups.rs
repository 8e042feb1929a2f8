//! `lookup("object", {"unique_field": value})` in expressions.

use pawl_testkit::scenario::{Scenario, answer, completed, failed, manual, paused, scenario, updated, webhook};
use serde_json::{Value, json};

use crate::forget::{forget, order, where_found};
use crate::{erasure, outages::at_once, support::with};

const COMPANY: &str = "
object: company
fields:
  domain: {type: email, unique: true}
  number: {type: number, unique: true}
  name: {type: text}
relationships:
  parent: {object: company}
";

/// Companies, and the workflow `w`, which runs on none.
fn story(head: &str, steps: &str) -> Scenario {
    let workflow = format!("workflow: w\nowner: ops@example.com\nactive: true\n{head}\nsteps:\n{steps}");
    let story = scenario().object(COMPANY).workflow(&workflow);
    let shop = json!({"domain": "Shop@example.com", "number": 7, "name": "Shop", "parent": "c2"});
    story.record("company", "c1", shop).record("company", "c2", json!({"number": 8, "name": "Chain"}))
}

/// What an expression gives in a step.
fn value(expression: &str) -> Value {
    let steps = format!("  - {{id: set, type: set_variables, values: {{x: '{{{{ {expression} }}}}'}}}}");
    let story = story("", &steps).event(manual("w")).run_until_idle().expect(completed());
    assert_eq!(story.world().replayed(), Vec::<String>::new(), "{expression}");
    story.last().execution.variables["x"].clone()
}

#[test]
fn a_record_is_found_by_a_unique_field() {
    assert_eq!(value("lookup(\"company\", {\"number\": 7}).name"), "Shop");
    assert_eq!(value("lookup(\"company\", {\"number\": \"7.0\"}).name"), "Shop");
    assert_eq!(value("lookup(\"company\", {\"domain\": \" SHOP@EXAMPLE.COM\"}).id"), "c1");
    let whole = value("lookup(\"company\", {\"number\": 7})");
    assert_eq!((&whole["object"], &whole["parent"], &whole["tags"]), (&json!("company"), &json!("c2"), &json!([])));
    assert_eq!(
        value("\"company\".lookup({\"number\": lookup(\"company\", {\"number\": 7}).number + 1}).name"),
        "Chain"
    );
}

#[test]
fn no_value_and_no_record_are_null() {
    for blank in ["{\"number\": 9}", "{\"number\": null}", "{\"domain\": \" \"}"] {
        assert_eq!(value(&format!("lookup(\"company\", {blank})")), Value::Null, "{blank}");
        assert_eq!(value(&format!("lookup(\"company\", {blank}).name")), Value::Null, "{blank}");
        assert_eq!(value(&format!("has(lookup(\"company\", {blank}).name)")), false, "{blank}");
        assert_eq!(value(&format!("coalesce(lookup(\"company\", {blank}).name, \"none\")")), "none", "{blank}");
    }
    assert_eq!(value("lookup(\"company\", {\"number\": 8}).domain"), Value::Null);
}

#[test]
fn every_place_of_a_workflow_that_reads_records_looks_them_up() {
    let head = "
triggers: [{id: hook, type: webhook, verify: none}]
variables:
  - {name: number, type: number, from: [trigger.body.number]}
  - {name: company, type: text, from: ['lookup(\"company\", {\"number\": vars.number}).name']}
output: {of: 'lookup(\"company\", {\"number\": 8}).name'}
outcome: {name: found, reached: 'lookup(\"company\", {\"number\": vars.number}) != null'}";
    let steps = r#"
  - {id: ask, type: condition, if: 'lookup("company", {"number": vars.number}).name == "Shop"', no: [{id: wrong, type: stop}]}
  - {id: find, type: find_records, object: company, where: {number: '{{ lookup("company", {"number": 7}).number + 1 }}'}}
  - id: each
    type: for_each
    items: [7, 8, 9]
    do: [{id: one, type: set_variables, values: {n: '{{ lookup("company", {"number": item}).name }}'}}]
    output: 'lookup("company", {"number": item}).name'
  - {id: call, type: http_request, url: 'https://x.example/{{ lookup("company", {"number": 8}).name }}'}
  - {id: own, type: create_record, object: company, fields: {number: 10, name: '{{ lookup("company", {"number": 7}).name }} 2'}}
  - {id: new, type: set_variables, values: {made: '{{ lookup("company", {"number": 10}).name }}'}}"#;
    let story = story(head, steps).http(|call| answer(200).body(json!(call.url)));
    let story = story.event(webhook("w", "hook").body(json!({"number": 7}))).run_until_idle();
    let story = story.expect(completed().variable("company", "Shop").variable("made", "Shop 2"));
    let execution = story.last().execution;
    assert_eq!(execution.steps["find"].output[0]["id"], "c2");
    let kept: Vec<_> = (0..3).map(|at| execution.steps["each"].output["items"][at]["output"].clone()).collect();
    assert_eq!(kept, [json!("Shop"), json!("Chain"), Value::Null]);
    assert_eq!(
        (execution.output["of"].clone(), execution.steps["call"].output["body"].clone()),
        ("Chain".into(), "https://x.example/Chain".into())
    );
    assert_eq!(story.world().replayed(), Vec::<String>::new());
}

#[test]
fn each_step_reads_anew() {
    let steps = "
  - {id: before, type: set_variables, values: {a: '{{ lookup(\"company\", {\"number\": 7}).name }}'}}
  - {id: wait, type: delay, for: 1h}
  - {id: after, type: set_variables, values: {b: '{{ lookup(\"company\", {\"number\": 7}).name }}'}}";
    let story = story("", steps).event(manual("w")).run_for("10m");
    let story = story.event(updated("company", "c1", json!({"name": "Store"}))).run_until_idle();
    story.expect(completed().variable("a", "Shop").variable("b", "Store"));
}

#[test]
fn a_step_looks_up_sixteen_records() {
    let steps = |most: u32| {
        format!(
            "  - {{id: set, type: set_variables, values: {{x: '{{{{ [{}].map(n, lookup(\"company\", {{\"number\": n}})) }}}}'}}}}",
            (1..=most).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")
        )
    };
    story("", &steps(16)).event(manual("w")).run_until_idle().expect(completed());
    let story = story("", &steps(17)).event(manual("w")).run_until_idle().expect(paused());
    let error = story.last().execution.steps["set"].error.clone().expect("it failed");
    assert_eq!(error.code, "expression_value");
    assert!(error.message.contains("at most 16 records in one step"), "{}", error.message);
    assert_eq!(story.world().replayed(), Vec::<String>::new());
}

#[test]
fn a_value_of_another_type_fails_the_step() {
    let steps = "  - {id: set, type: set_variables, values: {x: '{{ lookup(\"company\", {\"number\": trigger.values.n}) }}'}, on_failure: {then: fail}}";
    let story = story("variables: [{name: n, type: text}]", steps)
        .event(manual("w").values(json!({"n": "many"})))
        .run_until_idle();
    let story = story.expect(failed("expression_value"));
    let error = story.last().execution.steps["set"].error.clone().expect("it failed");
    assert!(error.message.contains("lookup(): `number`: expected"), "{}", error.message);
}

#[test]
fn a_record_in_the_archive_is_found_and_one_that_is_forgotten_is_not() {
    let steps = format!(
        "  - {{id: set, type: set_variables, values: {{x: '{{{{ lookup(\"person\", {{\"email\": \"{}\"}}) }}}}'}}}}",
        erasure::VALUE
    );
    let story = scenario().object(erasure::PERSON).workflow(&with("", &steps));
    let fields = json!({"email": erasure::VALUE, "city": "Oslo"});
    let story = story.record("person", erasure::ID, fields).event(manual("w")).run_until_idle().expect(completed());
    let world = story.world().clone();
    let record = world.records("person").remove(0).subject();
    at_once(world.system.records.archive(&record, true, "api")).expect("it is there");
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    assert!(story.last().execution.variables["x"]["archived_at"].is_string());

    // The workflow has no relationship and no step that leads to the object: it looks the record up.
    forget(&world.system, &order(&world, false)).expect("nothing is open");
    assert_eq!(where_found(&world), ["workflow revision"], "the author wrote it down");
    story.event(manual("w")).run_until_idle().expect(completed().variable("x", Value::Null));
}
