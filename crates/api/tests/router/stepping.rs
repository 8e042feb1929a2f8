//! Starts with `debug`: the step ahead is shown, and an execution is stepped.

use pawl_api::{ApiOptions, Authorizer, Identity, Role};
use serde_json::{Value, json};

use crate::shop::REPORT;
use crate::surface::{Surface, surface, surface_with};
use crate::workflows::start;

/// An execution that stands before its first step.
fn debugged(divisor: u32) -> (Surface, String) {
    let surface = surface().workflow(REPORT);
    let id = start(&surface, "report", &json!({"debug": true, "values": {"divisor": divisor}}));
    surface.settle();
    (surface, id)
}

fn show(surface: &Surface, id: &str) -> Value {
    surface.get(&format!("/v1/executions/{id}")).send().expect(200)
}

fn next(surface: &Surface, id: &str) -> Value {
    surface.get(&format!("/v1/executions/{id}/next")).send().expect(200)
}

fn act(surface: &Surface, id: &str, word: &str, body: &Value) -> Value {
    let acted = surface.post(&format!("/v1/executions/{id}/{word}")).json(body).send().expect(200);
    surface.settle();
    acted
}

#[test]
fn an_execution_is_stepped_and_shows_each_step_before() {
    let (surface, id) = debugged(3);
    let shown = show(&surface, &id);
    assert_eq!(
        (&shown["status"], &shown["debug"], &shown["pause"]["reason"]),
        (&json!("paused"), &json!(true), &json!("debug"))
    );
    assert_eq!(
        (&shown["held"]["by"], &shown["waits_for"][0]["text"]),
        (&json!("debug"), &json!("step, skip, run or cancel"))
    );
    let ahead = json!({"step": "divide", "step_type": "set_variables", "status": "completed", "output": {"share": 4}});
    assert_eq!(next(&surface, &id), ahead);

    let stepped = act(&surface, &id, "step", &json!({"reason": "looks right", "actor": "ada@example.com"}));
    assert_eq!(stepped["status"], "running");
    let ahead = next(&surface, &id);
    assert_eq!((&ahead["step"], &ahead["branch"]), (&json!("large"), &json!("yes")));
    let rows = show(&surface, &id)["history"]["items"].clone();
    let row = rows.as_array().into_iter().flatten().find(|row| row["kind"] == "control").expect("history says so");
    assert_eq!((&row["note"], &row["actor"]), (&json!("step: looks right"), &json!("ada@example.com")));

    surface.post(&format!("/v1/executions/{id}/skip")).json(&json!({})).send().problem(409, "illegal_transition");
    act(&surface, &id, "skip", &json!({"take": "yes"}));
    assert_eq!(next(&surface, &id)["step"], "say");
    act(&surface, &id, "run", &json!({}));
    let ended = show(&surface, &id);
    assert_eq!((&ended["status"], ended.get("debug")), (&json!("completed"), None));
}

#[test]
fn a_step_that_would_fail_says_so() {
    let (surface, id) = debugged(0);
    let ahead = next(&surface, &id);
    assert_eq!((&ahead["step"], ahead["error"]["help"].is_string()), (&json!("divide"), true), "{ahead}");
    act(&surface, &id, "step", &json!({}));
    let failed = show(&surface, &id);
    assert_eq!((&failed["pause"]["reason"], &failed["steps"]["divide"]["error"]), (&json!("failure"), &ahead["error"]));
}

#[test]
fn what_does_not_fit_is_refused() {
    let surface = surface().workflow(REPORT);
    let id = start(&surface, "report", &json!({}));
    surface.settle();
    surface.get(&format!("/v1/executions/{id}/next")).send().problem(409, "illegal_transition");
    for word in ["step", "run"] {
        surface.post(&format!("/v1/executions/{id}/{word}")).json(&json!({})).send().problem(409, "illegal_transition");
    }
    surface.get("/v1/executions/exe_none/next").send().problem(404, "no_execution");
    surface.post("/v1/executions/exe_none/step").json(&json!({})).send().problem(404, "no_execution");
}

#[test]
fn a_fork_is_stepped_if_it_is_asked_to_be() {
    let (surface, id) = debugged(3);
    for debug in [false, true] {
        let fork = surface.post(&format!("/v1/executions/{id}/fork")).json(&json!({"debug": debug})).send().expect(202);
        surface.settle();
        let fork = show(&surface, fork["execution_id"].as_str().expect("a fork names its execution"));
        assert_eq!(fork["status"], if debug { "paused" } else { "completed" });
    }
}

#[test]
fn a_start_with_the_same_key_asks_for_the_same() {
    let surface = surface().workflow(REPORT);
    let ask = |debug: bool| {
        let start = surface.post("/v1/workflows/report/start").json(&json!({"debug": debug}));
        start.header("idempotency-key", "monday").send()
    };
    ask(true).expect(202);
    ask(false).problem(409, "idempotency_key_reused");
}

#[test]
fn operators_step_and_viewers_look() {
    let options = ApiOptions { authorizer: Authorizer::Upstream, loopback_only: false, ..ApiOptions::default() };
    let surface = surface_with(options);
    let named = |role| Identity { name: Some("ada@example.com".to_owned()), role: Some(role) };
    for word in ["step", "run"] {
        let path = format!("/v1/executions/exe_none/{word}");
        surface.post(&path).json(&json!({})).identity(named(Role::Viewer)).send().problem(403, "forbidden");
        surface.post(&path).json(&json!({})).identity(named(Role::Operator)).send().problem(404, "no_execution");
    }
    surface.get("/v1/executions/exe_none/next").identity(named(Role::Viewer)).send().problem(404, "no_execution");
}
