//! Counters of a workflow: by trigger, step and branch, of its newest executions.

use serde_json::{Value, json};

use crate::shop::{ORDER, REPORT};
use crate::surface::{Surface, surface};
use crate::workflows::start;

/// Fails on an order of 7.
const SORT: &str = "
workflow: sort
owner: shop@example.com
object: order
active: true
triggers:
  - {id: made, type: record_created, filter: record.amount > 0}
  - {id: by-hand, type: manual, filter: record.amount > 0}
  - {id: idle, type: webhook, verify: none}
variables: [{name: n, type: number}]
steps:
  - id: large
    type: condition
    if: record.amount > 100
    yes: [{id: big, type: note, text: big}]
    no: [{id: small, type: note, text: small}]
  - {id: half, type: set_variables, values: {n: '{{ 12 / (int(record.amount) - 7) }}'}}
";

/// Goes round so often that rows move out of its head.
const ROUND: &str = "
workflow: round
owner: shop@example.com
active: true
variables: [{name: n, type: number, default: 0}]
steps:
  - {id: count, type: set_variables, values: {n: '{{ vars.n + 1 }}'}}
  - {id: enough, type: condition, if: vars.n >= 60, no: [{id: again, type: go_to, step: count}], yes: []}
";

fn create(surface: &Surface, id: &str, amount: i64) {
    let body = json!({"id": id, "fields": {"amount": amount}});
    surface.post("/v1/objects/order/records").json(&body).send().expect(201);
    surface.settle();
}

fn step<'a>(counted: &'a Value, id: &str) -> &'a Value {
    let steps = counted["steps"].as_array().expect("it is a list");
    steps.iter().find(|step| step["step"] == id).expect("it is a step")
}

#[test]
fn triggers_steps_and_branches_are_counted() {
    let surface = surface().object(ORDER).workflow(SORT);
    let none = surface.get("/v1/workflows/sort/counters").send().expect(200);
    assert_eq!((&none["executions"], &none["complete"], none.get("since")), (&json!(0), &json!(true), None));
    assert_eq!(none["steps"].as_array().map(Vec::len), Some(4), "steps without visits are listed: {none}");

    for (id, amount) in [("a", 200), ("b", 50), ("c", 7), ("d", 0)] {
        create(&surface, id, amount);
    }
    // A change of a record that no filter lets pass is no refusal; a start by hand is one.
    start(&surface, "sort", &json!({"record": {"object": "order", "id": "d"}}));
    let by_hand = start(&surface, "sort", &json!({"record": {"object": "order", "id": "c"}}));
    surface.settle();
    surface.post(&format!("/v1/executions/{by_hand}/skip")).send().expect(200);
    surface.settle();

    let counted = surface.get("/v1/workflows/sort/counters").send().expect(200);
    assert_eq!((&counted["executions"], &counted["parts"], &counted["complete"]), (&json!(4), &json!(0), &json!(true)));
    let told: Vec<_> = counted["triggers"].as_array().expect("it is a list").iter().collect();
    let trigger = |at: usize| ["trigger", "started", "refused"].map(|key| told[at][key].clone());
    assert_eq!(trigger(0), [json!("made"), json!(3), json!(0)], "{counted}");
    assert_eq!(told[1]["refusals"], json!({"filtered": 1}));
    assert_eq!(trigger(1), [json!("by-hand"), json!(1), json!(1)]);
    assert_eq!(trigger(2), [json!("idle"), json!(0), json!(0)]);
    assert_eq!(step(&counted, "large")["branches"], json!({"yes": 1, "no": 3}));
    assert_eq!((&step(&counted, "big")["completed"], &step(&counted, "small")["completed"]), (&json!(1), &json!(3)));
    let half = step(&counted, "half");
    assert_eq!([&half["completed"], &half["failed"], &half["skipped"]], [2, 2, 1], "{half}");
    assert_eq!(half["type"], "set_variables");

    let first = surface.get(&format!("/v1/executions/{by_hand}")).send().expect(200)["history"]["items"][0].clone();
    assert_eq!((&first["kind"], &first["trigger"]), (&json!("created"), &json!("by-hand")));
}

#[test]
fn the_answer_says_how_many_executions_it_covers() {
    let surface = surface().workflow(REPORT);
    for _ in 0..3 {
        start(&surface, "report", &json!({}));
        surface.settle();
        surface.world.clock.advance(jiff::SignedDuration::from_secs(60));
    }
    let counted = surface.get("/v1/workflows/report/counters?executions=2").send().expect(200);
    assert_eq!((&counted["executions"], &counted["complete"]), (&json!(2), &json!(false)));
    assert_eq!(step(&counted, "divide")["completed"], 2);
    let second = surface.get("/v1/executions?limit=2").send().expect(200)["items"][1]["created_at"].clone();
    assert_eq!(counted["since"], second);
    for executions in ["0", "1001", "many"] {
        let path = format!("/v1/workflows/report/counters?executions={executions}");
        surface.get(&path).send().problem(400, "bad_query");
    }
    surface.get("/v1/workflows/none/counters").send().problem(404, "no_workflow");
}

#[test]
fn rows_that_moved_out_of_the_head_are_counted_once() {
    let surface = surface().workflow(ROUND);
    start(&surface, "round", &json!({}));
    surface.settle();
    let counted = surface.get("/v1/workflows/round/counters").send().expect(200);
    assert_eq!(
        (&step(&counted, "count")["completed"], &step(&counted, "again")["completed"]),
        (&json!(60), &json!(59))
    );
    assert_eq!(step(&counted, "enough")["branches"], json!({"no": 59, "yes": 1}));
}
