//! Sending signals.

use serde_json::json;

use crate::surface::{Surface, surface};
use crate::workflows::start;

const WAITS: &str = r"
workflow: waits
owner: shop@example.com
active: true
steps:
  - {id: wait, type: wait_for_signal, signal: paid, key: R-7, schema: {type: object}}
";

fn waiting() -> (Surface, String) {
    let surface = surface().workflow(WAITS);
    let id = start(&surface, "waits", &json!({}));
    surface.settle();
    (surface, id)
}

#[test]
fn a_signal_is_received_and_its_repeat_is_told_so() {
    let (surface, id) = waiting();
    let wait = surface.get(&format!("/v1/executions/{id}")).send().expect(200)["waits_for"][0].clone();
    assert_eq!((&wait["kind"], &wait["text"]), (&json!("signal"), &json!("paid of R-7")));
    let body = json!({"key": "R-7", "payload": {"amount": 12}});
    let send = |body: &serde_json::Value| {
        surface.post("/v1/signals/paid").header("idempotency-key", "payment-1").json(body).send()
    };
    let first = send(&body).expect(202);
    assert_eq!((&first["status"], &first["execution_id"]), (&json!("received"), &json!(id)));
    assert_eq!(send(&body).expect(202), first);
    send(&json!({"key": "R-7", "payload": {"amount": 13}})).problem(409, "idempotency_key_reused");
    surface.settle();
    let shown = surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!(shown["status"], "completed");
}

#[test]
fn a_signal_that_nobody_waits_for_is_kept() {
    let (surface, _) = waiting();
    let kept = surface.post("/v1/signals/paid").json(&json!({"key": "R-8"})).send().expect(202);
    assert_eq!((&kept["status"], kept.get("execution_id")), (&json!("kept"), None));
}

#[test]
fn a_payload_that_does_not_fit_is_refused() {
    let (surface, id) = waiting();
    let sent = surface.post("/v1/signals/paid").json(&json!({"key": "R-7", "payload": 7})).send();
    let problem = sent.problem(422, "signal_refused");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(&id)), "{problem}");
    let refusals = surface.get("/v1/workflows/waits/refusals").send().expect(200);
    assert_eq!(refusals["items"][0]["code"], "signal_refused");
}

#[test]
fn names_keys_and_payloads_have_bounds() {
    let (surface, _) = waiting();
    let send = |name: &str, body: serde_json::Value| surface.post(&format!("/v1/signals/{name}")).json(&body).send();
    send("a%20b", json!({"key": "7"})).problem(422, "invalid_signal");
    send("paid", json!({"key": " "})).problem(422, "invalid_signal");
    send("paid", json!({"key": "k".repeat(513)})).problem(422, "invalid_signal");
    send("paid", json!({"key": "7", "payload": "x".repeat(70_000)})).problem(413, "signal_too_large");
    send("paid", json!({"payload": 1})).problem(422, "body_malformed");
}
