//! Page views and other interactions.

use serde_json::{Value, json};

use crate::surface::{Surface, surface};

const LEAD: &str = "
object: lead
fields: {email: {type: text, unique: true}, city: {type: text}}
";

const LISTENS: &str = "
workflow: listens
owner: shop@example.com
active: true
object: lead
triggers: [{type: interaction, kind: page_view, url: /pricing}]
steps:
  - {id: n, type: note, text: '{{ trigger.interaction.id }}'}
";

fn shop() -> Surface {
    let surface = surface().object(LEAD).workflow(LISTENS);
    surface.record("lead", "ada", json!({"email": "ada@example.com"}))
}

fn view(more: &Value) -> Value {
    let mut posted = json!({"kind": "page_view", "url": "https://a.example/pricing", "object": "lead"});
    for (key, value) in more.as_object().into_iter().flatten() {
        posted[key] = value.clone();
    }
    posted
}

#[test]
fn an_interaction_starts_who_listens_and_a_repeat_nothing() {
    let surface = shop();
    let post = |more: Value| surface.post("/v1/interactions").json(&view(&more)).send();
    let first = post(json!({"id": "v-1", "match": {"email": "ada@example.com"}})).expect(202);
    assert_eq!(first["executions"], "decided_later");
    assert_eq!(post(json!({"id": "v-1", "match": {"email": "ada@example.com"}})).expect(202), first);
    post(json!({"id": "v-1", "record": "ada"})).problem(409, "idempotency_key_reused");
    let keyed =
        || surface.post("/v1/interactions").header("idempotency-key", "k").json(&view(&json!({"record": "ada"})));
    assert_eq!(keyed().send().expect(202), keyed().send().expect(202));
    surface.settle();
    let executions = surface.get("/v1/executions?workflow=listens").send().expect(200);
    assert_eq!(executions["items"].as_array().map(Vec::len), Some(2), "{executions}");
}

#[test]
fn what_is_no_interaction_or_about_no_record_is_refused() {
    let surface = shop();
    let post = |more: Value| surface.post("/v1/interactions").json(&view(&more)).send();
    for more in [
        json!({}),
        json!({"record": "ada", "match": {"email": "ada@example.com"}}),
        json!({"match": {}}),
        json!({"match": {"email": "a", "city": "b"}}),
        json!({"record": "ada", "kind": " "}),
        json!({"record": "ada", "url": "a.example/pricing"}),
        json!({"record": "ada", "time": "yesterday"}),
        json!({"record": "ada", "id": ""}),
    ] {
        post(more).problem(422, "invalid_event");
    }
    post(json!({"record": "bo"})).problem(404, "no_record");
    post(json!({"match": {"email": "bo@example.com"}})).problem(404, "no_record");
    post(json!({"record": "ada", "object": "visitor"})).problem(404, "no_object");
    post(json!({"match": {"city": "Rome"}})).problem(422, "bad_filter");
    post(json!({"match": {"email": ""}})).problem(422, "blank_match");
}
