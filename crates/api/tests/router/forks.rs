//! Forks: asked for, shown and listed.

use pawl_api::{ApiOptions, Authorizer, Identity, Role};
use serde_json::{Value, json};

use crate::shop::{ORDER, REMIND, REPORT};
use crate::surface::{Call, Surface, surface, surface_with};
use crate::workflows::start;

/// An execution whose first step failed.
fn failed() -> (Surface, String) {
    let surface = surface().workflow(REPORT);
    let id = start(&surface, "report", &json!({"values": {"divisor": 0}}));
    surface.settle();
    assert_eq!(show(&surface, &id)["status"], "paused");
    (surface, id)
}

fn show(surface: &Surface, id: &str) -> Value {
    surface.get(&format!("/v1/executions/{id}")).send().expect(200)
}

fn ask<'a>(surface: &'a Surface, id: &str, body: &Value) -> Call<'a> {
    surface.post(&format!("/v1/executions/{id}/fork")).json(body)
}

/// Asks for it, and lets it begin.
fn fork(surface: &Surface, id: &str, body: &Value) -> String {
    let accepted = ask(surface, id, body).send().expect(202);
    surface.settle();
    accepted["execution_id"].as_str().expect("a fork names its execution").to_owned()
}

#[test]
fn a_fork_is_begun_shown_and_listed() {
    let (surface, id) = failed();
    let asked =
        json!({"at": "divide", "values": {"divisor": "3"}, "reason": "wrong number", "actor": "ada@example.com"});
    let fork = fork(&surface, &id, &asked);
    let shown = show(&surface, &fork);
    assert_eq!((&shown["status"], &shown["variables"]["share"]), (&json!("completed"), &json!(4)));
    assert_eq!(shown["fork"], json!({"execution": id, "at": "divide", "seq": 1}));
    let first = &shown["history"]["items"][0];
    assert_eq!(first["actor"], "ada@example.com");
    assert_eq!(first["note"], format!("fork of {id} before step divide: wrong number"));
    assert_eq!(show(&surface, &id).get("fork"), None);
    let listed = |id: &str| surface.get(&format!("/v1/executions/{id}/forks")).send().expect(200)["items"].clone();
    assert_eq!((&listed(&id)[0]["id"], &listed(&fork)), (&json!(fork), &json!([])));
    surface.get("/v1/executions/exe_none/forks").send().problem(404, "no_execution");
    surface.get(&format!("/v1/executions/{id}/forks?cursor=x")).send().problem(400, "bad_cursor");
}

#[test]
fn without_a_step_it_begins_anew() {
    let (surface, id) = failed();
    let rerun = show(&surface, &fork(&surface, &id, &json!({"values": {"divisor": 2}})));
    assert_eq!((&rerun["status"], &rerun["variables"]["share"]), (&json!("completed"), &json!(6)));
    assert_eq!(rerun["fork"], json!({"execution": id, "seq": 0}));
}

#[test]
fn values_are_those_of_variables() {
    let (surface, id) = failed();
    let with = |at: Option<&str>, values: Value| ask(&surface, &id, &json!({"at": at, "values": values})).send();
    with(Some("divide"), json!({"divisor": "three"})).problem(422, "value_failed");
    with(Some("divide"), json!({"nothing": 1})).problem(422, "unknown_variable");
    // A step assigns it, so it is a variable once the workflow has begun.
    with(None, json!({"share": 1})).problem(422, "unknown_variable");
    with(Some("divide"), json!({"share": 1})).expect(202);
    ask(&surface, &id, &json!({"step": "divide"})).send().problem(422, "body_malformed");
}

#[test]
fn what_cannot_be_forked_is_refused() {
    let (surface, id) = failed();
    let problem = ask(&surface, &id, &json!({"at": "nope"})).send().problem(422, "unknown_step");
    assert_eq!(problem["path"], "at");
    ask(&surface, &id, &json!({"at": "large"})).send().problem(409, "not_forkable");
    ask(&surface, "exe_none", &json!({})).send().problem(404, "no_execution");

    let surface = surface.object(ORDER).workflow(REMIND).record("order", "o1", json!({"number": "1"}));
    let id = start(&surface, "remind", &json!({"record": {"object": "order", "id": "o1"}}));
    surface.settle();
    let forget = json!({"cancel": true});
    surface.post("/v1/objects/order/records/o1/forget").json(&forget).send().expect(200);
    ask(&surface, &id, &json!({})).send().problem(410, "record_forgotten");
}

#[test]
fn a_repeat_is_answered_as_the_first_and_begins_nothing() {
    let (surface, id) = failed();
    let again = |body: &Value| ask(&surface, &id, body).header("idempotency-key", "monday").send();
    let (first, second) = (again(&json!({"at": "divide"})), again(&json!({"at": "divide"})));
    assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), (None, Some("true")));
    assert_eq!(first.text, second.text);
    again(&json!({})).problem(409, "idempotency_key_reused");
    // The key of a start is another one.
    let start = surface.post("/v1/workflows/report/start").json(&json!({})).header("idempotency-key", "monday").send();
    assert_eq!((start.status.as_u16(), start.header("idempotent-replayed")), (202, None));
    surface.settle();
    assert_eq!(surface.world.executions().len(), 3);
}

#[test]
fn operators_fork_and_viewers_do_not() {
    let options = ApiOptions { authorizer: Authorizer::Upstream, loopback_only: false, ..ApiOptions::default() };
    let surface = surface_with(options);
    let named = |role| Identity { name: Some("ada@example.com".to_owned()), role: Some(role) };
    let asked = |role| ask(&surface, "exe_none", &json!({})).identity(named(role)).send();
    asked(Role::Viewer).problem(403, "forbidden");
    asked(Role::Operator).problem(404, "no_execution");
}

#[test]
fn a_fork_keeps_the_revision_that_was_asked_for() {
    let (surface, id) = failed();
    let surface = surface.workflow(&REPORT.replace("workflow: report", "workflow: report\ndescription: edited"));
    let asked = json!({"at": "divide", "values": {"divisor": 3}, "revision": 1});
    let shown = show(&surface, &fork(&surface, &id, &asked));
    assert_eq!(shown["fork"], json!({"execution": id, "at": "divide", "seq": 1, "revision": 1}));
    assert_eq!((&shown["revision"], &shown["status"]), (&json!(1), &json!("completed")));
    let problem = ask(&surface, &id, &json!({"revision": 7})).send().problem(404, "no_revision");
    assert_eq!(problem["path"], "revision");
}

const ONLY_LARGE: &str = "
workflow: intake
owner: team@example.com
active: true
triggers: [{id: hook, type: webhook, verify: none, filter: trigger.body.n > 10}]
variables: [{name: n, type: number, from: [trigger.body.n]}]
steps:
  - {id: say, type: note, text: x}
";

/// A delivery that was refused, and the id of its refusal.
fn refused() -> (Surface, String) {
    let surface = surface().workflow(ONLY_LARGE);
    surface.post("/hooks/intake/hook").json(&json!({"n": 1})).send().expect(202);
    surface.settle();
    let listed = surface.get("/v1/workflows/intake/refusals").send().expect(200);
    let refusal = &listed["items"][0];
    assert_eq!((&refusal["code"], &refusal["replayable"]), (&json!("filtered"), &json!(true)));
    let id = refusal["id"].as_str().expect("it has an id").to_owned();
    (surface, id)
}

fn replay<'a>(surface: &'a Surface, id: &str, body: &Value) -> Call<'a> {
    surface.post(&format!("/v1/refusals/{id}/replay")).json(body)
}

#[test]
fn a_refused_delivery_is_replayed_once_its_filter_lets_it_pass() {
    let (surface, refusal) = refused();
    replay(&surface, &refusal, &json!({})).send().expect(202);
    surface.settle();
    assert_eq!(surface.world.refusals("intake").len(), 2, "the filter refuses it again");

    let surface = surface.workflow(&ONLY_LARGE.replace("> 10", "> 0"));
    let body = json!({"values": {"n": 5}, "reason": "the filter was wrong", "actor": "ada@example.com"});
    let again = || replay(&surface, &refusal, &body).header("idempotency-key", "monday").send();
    let (first, second) = (again(), again());
    assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), (None, Some("true")));
    let id = first.expect(202)["execution_id"].as_str().expect("it names it").to_owned();
    surface.settle();
    let shown = show(&surface, &id);
    assert_eq!((&shown["status"], &shown["variables"]["n"]), (&json!("completed"), &json!(5)));
    assert_eq!(shown["fork"], json!({"execution": refusal, "refused": "filtered", "seq": 0}));
    let first = &shown["history"]["items"][0];
    assert_eq!(first["actor"], "ada@example.com");
    assert_eq!(first["note"], "replay of an event that was refused with filtered: the filter was wrong");
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let (surface, refusal) = refused();
    replay(&surface, "ref_none", &json!({})).send().problem(404, "no_refusal");
    replay(&surface, "exe_none", &json!({})).send().problem(404, "no_refusal");
    replay(&surface, &refusal, &json!({"values": {"m": 1}})).send().problem(422, "unknown_variable");
    replay(&surface, &refusal, &json!({"at": "say"})).send().problem(422, "body_malformed");
    let strict = ONLY_LARGE.replace("verify: none", "verify: {token: {in: {header: x-token}, secret: shop}}");
    let surface = surface.workflow(&strict);
    surface.post("/hooks/intake/hook").json(&json!({"n": 20})).send();
    let listed = surface.get("/v1/workflows/intake/refusals").send().expect(200);
    let items = listed["items"].as_array().expect("they are listed");
    let rejected = items.iter().find(|item| item["code"] != "filtered").expect("the delivery was rejected");
    assert_eq!(rejected["replayable"], json!(false));
    let id = rejected["id"].as_str().expect("it has an id");
    replay(&surface, id, &json!({})).send().problem(409, "not_replayable");
}
