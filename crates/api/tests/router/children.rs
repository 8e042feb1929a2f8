//! Executions that a step of another one started.

use pawl_engine::Control;
use serde_json::{Value, json};

use crate::shop::{ORDER, REMIND};
use crate::surface::{Surface, surface};
use crate::workflows::start;

/// Reminds of two orders, and waits for both.
const BOTH: &str = r#"
workflow: both
owner: shop@example.com
active: true
output: {reminded: "size(steps.go.output)"}
steps:
  - {id: go, type: start_workflow, workflow: remind, on: "{{ ['o1', 'o2'] }}", wait: true}
"#;

fn begun() -> (Surface, String) {
    let surface = surface().object(ORDER).workflow(REMIND).workflow(BOTH);
    let surface = surface.record("order", "o1", json!({"number": "1"})).record("order", "o2", json!({"number": "2"}));
    let id = start(&surface, "both", &json!({}));
    surface.settle();
    (surface, id)
}

fn show(surface: &Surface, id: &str) -> Value {
    surface.get(&format!("/v1/executions/{id}")).send().expect(200)
}

fn children(surface: &Surface, id: &str) -> Vec<Value> {
    let listing = surface.get(&format!("/v1/executions/{id}/children")).send().expect(200);
    listing["items"].as_array().expect("a listing has items").clone()
}

#[test]
fn children_are_listed_and_know_their_parent() {
    let (surface, id) = begun();
    let children = children(&surface, &id);
    assert_eq!(children.len(), 2);
    for child in &children {
        assert_eq!((&child["step"], &child["visit"], &child["status"]), (&json!("go"), &json!(1), &json!("waiting")));
        let child = show(&surface, child["id"].as_str().expect("it has an id"));
        assert_eq!(child["parent"], json!({"execution": id, "step": "go", "visit": 1, "waits": true}));
    }
    surface.get("/v1/executions/exe_none/children").send().problem(404, "no_execution");
}

#[test]
fn a_parent_says_whom_it_waits_for_and_that_one_of_them_is_stalled() {
    let (surface, id) = begun();
    let wait = show(&surface, &id)["waits_for"][0].clone();
    assert_eq!(wait["kind"], "children");
    assert!(wait["text"].as_str().expect("it is a text").starts_with("2 executions: exe_"), "{wait}");
    let first = children(&surface, &id)[0]["id"].as_str().expect("it has an id").to_owned();
    surface.world.control(&first, &Control::Stall).expect("it is open");
    let wait = show(&surface, &id)["waits_for"][0]["text"].clone();
    assert!(wait.as_str().expect("it is a text").ends_with(" (1 stalled)"), "{wait}");
}

#[test]
fn a_result_is_shown() {
    let (surface, id) = begun();
    surface.world.run(None).expect("it comes to rest");
    let shown = show(&surface, &id);
    assert_eq!((&shown["status"], &shown["output"]), (&json!("completed"), &json!({"reminded": 2})));
}
