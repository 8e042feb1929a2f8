//! What becomes of messages.

use serde_json::{Value, json};

use crate::surface::{Surface, surface};

const CONTACT: &str = "
object: contact
fields: {address: {type: email, unique: true}}
contact: {email: address}
";

const LISTENS: &str = "
workflow: listens
owner: shop@example.com
active: true
object: contact
triggers: [{type: email, event: [opened, bounced]}]
steps:
  - {id: n, type: note, text: '{{ trigger.email.message_id }}'}
";

fn shop() -> Surface {
    surface().object(CONTACT).workflow(LISTENS).record("contact", "ada", json!({"address": "ada@example.com"}))
}

fn opened(id: &str) -> Value {
    json!({"id": id, "event": "opened", "to": "Ada@example.com", "message_id": "m-1", "template": "welcome"})
}

fn executions(surface: &Surface) -> usize {
    surface.settle();
    let executions = surface.get("/v1/executions?workflow=listens").send().expect(200);
    executions["items"].as_array().map(Vec::len).expect("it is a list")
}

#[test]
fn an_event_starts_who_listens_and_a_repeat_nothing() {
    let surface = shop();
    let first = surface.post("/v1/mail-events").json(&opened("e-1")).send().expect(202);
    assert_eq!((&first["events"][0]["id"], &first["events"][0]["repeated"]), (&json!("e-1"), &json!(false)));
    let again = surface.post("/v1/mail-events").json(&opened("e-1")).send().expect(202);
    assert_eq!(again["events"][0]["repeated"], true);
    assert_eq!(again["events"][0]["event_id"], first["events"][0]["event_id"]);
    let mut other = opened("e-1");
    other["template"] = json!("offer");
    surface.post("/v1/mail-events").json(&other).send().problem(409, "idempotency_key_reused");
    assert_eq!(executions(&surface), 1);
}

#[test]
fn a_list_is_accepted_as_a_whole_or_not_at_all() {
    let surface = shop();
    let bounced = json!({"id": "e-2", "event": "bounced", "to": "ada@example.com", "message_id": "m-2",
        "bounce": {"type": "permanent", "reason": "user unknown"}, "time": "2026-01-01T00:00:00Z"});
    let wrong = json!({"id": "e-3", "event": "bounced", "to": "ada@example.com", "message_id": "m-2"});
    let refused = surface.post("/v1/mail-events").json(&json!([opened("e-1"), wrong])).send();
    assert_eq!(refused.body["path"], "[1].bounce");
    refused.problem(422, "invalid_event");
    assert_eq!(executions(&surface), 0);
    let unknown = json!({"id": "e-4", "event": "opened", "to": "eve@example.com", "message_id": "m-3"});
    let accepted = surface.post("/v1/mail-events").json(&json!([opened("e-1"), bounced, unknown])).send().expect(202);
    let ids: Vec<_> = accepted["events"].as_array().into_iter().flatten().map(|event| event["id"].clone()).collect();
    assert_eq!(ids, ["e-1", "e-2", "e-4"]);
    assert_eq!(executions(&surface), 2, "nobody has the address of the last one");
    let many: Vec<_> = (0..101).map(|number| opened(&format!("m-{number}"))).collect();
    surface.post("/v1/mail-events").json(&json!(many)).send().problem(422, "invalid_event");
}

#[test]
fn ids_of_messages_are_not_those_of_other_events() {
    let surface = shop();
    let event = json!({"id": "e-1", "source": "shop.orders", "detail-type": "Order Placed", "detail": {}});
    surface.post("/v1/events").json(&event).send().expect(202);
    let accepted = surface.post("/v1/mail-events").json(&opened("e-1")).send().expect(202);
    assert_eq!(accepted["events"][0]["repeated"], false);
    assert_eq!(executions(&surface), 1);
}
