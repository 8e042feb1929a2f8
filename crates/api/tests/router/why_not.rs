//! Why a workflow does not start on a record.

use serde_json::json;

use crate::surface::surface;

const ORDER: &str = "object: order\nfields:\n  number: {type: text, unique: true}\n  total: {type: number}\n";

const LARGE: &str = "
workflow: large
owner: tests@example.com
object: order
active: true
triggers:
  - {id: made, type: record_created, filter: record.total > 100}
  - {id: in, type: webhook, verify: none, record: {match: {number: trigger.body.number}}, filter: trigger.body.sure}
  - {id: by-hand, type: manual, filter: record.total > 5000}
steps:
  - {id: n, type: note, text: x}
";

#[test]
fn filters_are_looked_at_as_they_are_now_beside_what_was_refused_then() {
    let surface = surface().object(ORDER).workflow(LARGE).record("order", "o1", json!({"number": "A-1", "total": 7}));
    let start = json!({"record": {"object": "order", "id": "o1"}});
    surface.post("/v1/workflows/large/start").json(&start).send().expect(202);
    surface.settle();
    let seen = surface.get("/v1/workflows/large/why-not?record=order/o1").send().expect(200);
    assert_eq!((&seen["exists"], &seen["active"], &seen["object"]), (&json!(true), &json!(true), &json!("order")));
    let triggers = &seen["triggers"];
    assert_eq!(
        triggers[0],
        json!({"id": "made", "type": "record_created", "enabled": true, "filter": "record.total > 100", "passes": false})
    );
    assert_eq!((&triggers[1]["id"], triggers[1].get("passes")), (&json!("in"), None), "it reads a delivery: {seen}");
    assert!(triggers[1]["error"].as_str().is_some_and(|error| error.contains("body")), "{seen}");
    assert_eq!(seen["refusals"][0]["code"], "filtered", "{seen}");
    let other = surface.get("/v1/workflows/large/why-not?record=order/o2").send().expect(200);
    assert_eq!((&other["exists"], other["refusals"].as_array().map(Vec::len)), (&json!(false), Some(0)));
    surface.get("/v1/workflows/none/why-not?record=order/o1").send().problem(404, "no_workflow");
    surface.get("/v1/workflows/large/why-not?record=order").send().problem(400, "bad_query");
}
