//! Events from outside.

use serde_json::{Value, json};

use crate::surface::surface;

const LISTENS: &str = "
workflow: listens
owner: shop@example.com
active: true
triggers: [{type: event, pattern: {source: [shop.orders], detail: {total: [{numeric: ['>', 5]}]}}}]
steps:
  - {id: n, type: note, text: '{{ trigger.event.id }}'}
";

fn placed(total: u32) -> Value {
    json!({"source": "shop.orders", "detail-type": "Order Placed", "detail": {"total": total}})
}

fn with_id(id: &str, total: u32) -> Value {
    let mut event = placed(total);
    event["id"] = json!(id);
    event
}

#[test]
fn an_event_starts_who_listens_and_a_repeat_nothing() {
    let surface = surface().workflow(LISTENS);
    let first = surface.post("/v1/events").json(&with_id("o-1", 6)).send().expect(202);
    assert_eq!(first["executions"], "decided_later");
    assert_eq!(surface.post("/v1/events").json(&with_id("o-1", 6)).send().expect(202), first);
    surface.post("/v1/events").json(&with_id("o-1", 7)).send().problem(409, "idempotency_key_reused");
    surface.post("/v1/events").json(&with_id("o-2", 5)).send().expect(202);
    let keyed = || surface.post("/v1/events").header("idempotency-key", "k").json(&placed(8)).send().expect(202);
    assert_eq!(keyed(), keyed());
    surface.settle();
    let executions = surface.get("/v1/executions?workflow=listens").send().expect(200);
    assert_eq!(executions["items"].as_array().map(Vec::len), Some(2), "{executions}");
}

#[test]
fn what_is_no_event_is_refused() {
    let surface = surface().workflow(LISTENS);
    let mut own = placed(6);
    own["source"] = json!("pawl.signal");
    surface.post("/v1/events").json(&own).send().problem(422, "invalid_event");
    let mut never = placed(6);
    never["time"] = json!("yesterday");
    surface.post("/v1/events").json(&never).send().problem(422, "invalid_event");
}
