//! Executions: list, show and control.

mod listed;

use jiff::SignedDuration;
use pawl_runtime::ports::{ModelAnswer, TokenCounts};
use pawl_testkit::scenario::says;
use serde_json::{Value, json};

use crate::shop::{ORDER, REMIND, REPORT};
use crate::surface::{Surface, surface};
use crate::workflows::start;

fn on(order: &str) -> Value {
    json!({"record": {"object": "order", "id": order}})
}

/// Orders, and a workflow that waits on them.
fn shop() -> Surface {
    let surface = surface().object(ORDER).workflow(REMIND).workflow(REPORT);
    surface.record("order", "o1", json!({"number": "1"})).record("order", "o2", json!({"number": "2"}))
}

fn show(surface: &Surface, id: &str) -> Value {
    surface.get(&format!("/v1/executions/{id}")).send().expect(200)
}

fn ids(listing: &Value) -> Vec<String> {
    let items = listing["items"].as_array().expect("a listing has items").iter();
    items.map(|item| item["id"].as_str().expect("an execution has an id").to_owned()).collect()
}

#[test]
fn an_execution_is_shown_with_its_history() {
    let surface = shop();
    let id = start(&surface, "remind", &on("o1"));
    surface.get(&format!("/v1/executions/{id}")).send().problem(404, "no_execution");
    surface.settle();

    let shown = show(&surface, &id);
    assert_eq!(shown["status"], "waiting");
    assert_eq!(shown["indicators"], json!([]));
    assert_eq!(shown["cursor"], "wait");
    assert_eq!(shown["wake"], json!({"reason": "timer", "at": "2026-11-22T09:00:00Z", "purpose": "delay"}));
    assert_eq!(shown["due_at"], "2026-11-22T09:00:00Z");
    assert_eq!(shown["steps"]["wait"]["status"], "waiting");
    assert_eq!((&shown["priority"], &shown["cause"]), (&json!("normal"), &json!([])));
    let rows = shown["history"]["items"].as_array().expect("history is a listing");
    assert_eq!((&rows[2]["attempt_started_at"], &rows[2]["duration_ms"]), (&json!("2026-11-21T09:00:00Z"), &json!(0)));
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str().unwrap_or_default()).collect();
    assert_eq!(kinds, ["created", "started", "step"]);

    let first = surface.get(&format!("/v1/executions/{id}/history?limit=2")).send().expect(200);
    let next = first["next"].as_str().expect("one more row follows");
    let second = surface.get(&format!("/v1/executions/{id}/history?limit=2&cursor={next}")).send().expect(200);
    assert_eq!((&first["items"][1]["seq"], &second["items"][0]["seq"]), (&json!(1), &json!(2)));
    surface.get("/v1/executions/exe_none/history").send().problem(404, "no_execution");
    surface.get("/v1/executions/exe_none/event").send().problem(404, "no_execution");
}

#[test]
fn a_failure_says_where_to_read_what_to_do() {
    let surface = shop();
    let id = start(&surface, "report", &json!({"values": {"divisor": 0}}));
    surface.settle();
    let shown = show(&surface, &id);
    assert_eq!((&shown["status"], &shown["pause"]["reason"]), (&json!("paused"), &json!("failure")));
    assert_eq!((&shown["indicators"], &shown["failed_steps"]), (&json!(["has_failures"]), &json!(["divide"])));
    let error = &shown["history"]["items"][2]["error"];
    assert_eq!(
        (&error["code"], &error["help"]),
        (&json!("expression_value"), &json!("docs/errors/expression_value.md"))
    );
}

#[test]
fn controls_change_the_state_once_and_repeats_change_nothing() {
    let surface = shop();
    let id = start(&surface, "remind", &on("o1"));
    surface.settle();
    let control = |word: &str| surface.post(&format!("/v1/executions/{id}/{word}")).send();

    let paused = surface.post(&format!("/v1/executions/{id}/pause"));
    let paused =
        paused.json(&json!({"reason": "holiday", "take": null})).header("x-pawl-actor", "ada@example.com").send();
    let paused = paused.expect(200);
    assert_eq!((&paused["status"], &paused["seq"]), (&json!("paused"), &json!(3)));
    assert_eq!(control("pause").expect(200)["seq"], 3);
    let row = &show(&surface, &id)["history"]["items"][3];
    assert_eq!((&row["actor"], &row["note"]), (&json!("ada@example.com"), &json!("pause: holiday")));

    assert_eq!(control("retry").problem(409, "illegal_transition")["state"], "paused");
    assert_eq!(control("resume").expect(200)["status"], "waiting");
    let resumed = show(&surface, &id);
    assert_eq!(resumed["due_at"], "2026-11-22T09:00:00Z", "a pause keeps the due time of a delay");

    assert!(control("kill").expect(200)["killed"].is_object());
    assert_eq!(show(&surface, &id)["indicators"], json!(["killed"]));
    assert_eq!(control("lift").expect(200).get("killed"), None);

    assert_eq!(control("cancel").expect(200)["status"], "canceled");
    assert_eq!(control("cancel").expect(200)["status"], "canceled");
    for word in ["pause", "resume", "retry", "skip", "kill", "lift"] {
        assert_eq!(control(word).problem(409, "illegal_transition")["state"], "canceled");
    }
    surface.post("/v1/executions/exe_none/pause").send().problem(404, "no_execution");
}

#[test]
fn a_failed_step_is_retried_or_skipped() {
    let surface = shop();
    let id = start(&surface, "report", &json!({"values": {"divisor": 0}}));
    surface.settle();
    surface.post(&format!("/v1/executions/{id}/resume")).send().problem(409, "illegal_transition");
    surface.post(&format!("/v1/executions/{id}/retry")).send().expect(200);
    surface.settle();
    assert_eq!(show(&surface, &id)["status"], "paused", "it fails again");

    let skip = |body: Value| surface.post(&format!("/v1/executions/{id}/skip")).json(&body).send();
    assert_eq!(skip(json!({"take": "maybe"})).problem(422, "body_malformed")["path"], "take");
    skip(json!({"reason": "not needed"})).expect(200);
    surface.settle();
    let failed = show(&surface, &id);
    assert_eq!(failed["cursor"], "large", "the condition fails: what it reads was never set");
    skip(json!({})).problem(409, "illegal_transition");
    skip(json!({"take": "no"})).expect(200);
    surface.settle();
    let ended = show(&surface, &id);
    assert_eq!((&ended["status"], &ended["indicators"]), (&json!("completed"), &json!(["has_failures"])));
}

#[test]
fn a_look_waits_for_the_end() {
    let surface = shop();
    let id = start(&surface, "report", &json!({}));
    let path = format!("/v1/executions/{id}?wait_s=60");
    let waited = surface.block_on(async {
        let look = surface.get(&path).sending();
        let work = async { surface.settle() };
        tokio::join!(look, work).0
    });
    assert_eq!(waited.expect(200)["status"], "completed");
    assert_eq!(surface.get(&path).send().expect(200)["status"], "completed", "it ended before");

    let open = start(&surface, "remind", &on("o1"));
    surface.settle();
    let looked = surface.get(&format!("/v1/executions/{open}?wait_s=5")).send().expect(200);
    assert_eq!(looked["status"], "waiting", "it goes on for a day");
    let begins = start(&surface, "remind", &on("o1"));
    let path = format!("/v1/executions/{begins}?wait_s=5");
    let looked = surface.block_on(async {
        let look = surface.get(&path).sending();
        let work = async { surface.settle() };
        tokio::join!(look, work).0
    });
    assert_eq!(looked.expect(200)["status"], "waiting", "what it did meanwhile is seen");
    surface.get(&format!("/v1/executions/{open}?wait_s=61")).send().problem(400, "bad_query");
    surface.get("/v1/executions/exe_none?wait_s=1").send().problem(404, "no_execution");
}

#[test]
fn what_does_not_exist_is_no_empty_list() {
    let surface = shop();
    surface.get("/v1/executions?workflow=nope").send().problem(404, "no_workflow");
    surface.get("/v1/executions?record=nope/1").send().problem(404, "no_object");
}

#[test]
fn an_execution_shows_its_outcome_and_is_found_by_it() {
    let aims = "
workflow: aims
owner: shop@example.com
active: true
outcome: {name: the divisor is large, reached: vars.divisor > 2, saves: 15m}
variables: [{name: divisor, type: number, default: 1}]
steps: [{id: end, type: note, text: end}]
";
    let surface = surface().workflow(aims);
    let near = start(&surface, "aims", &json!({}));
    let there = start(&surface, "aims", &json!({"values": {"divisor": 3}}));
    surface.settle();
    for (id, outcome) in [(&near, "not_reached"), (&there, "reached")] {
        assert_eq!(show(&surface, id)["outcome"], json!(outcome));
        let found = surface.get(&format!("/v1/executions?workflow=aims&outcome={outcome}")).send().expect(200);
        assert_eq!((ids(&found), &found["items"][0]["outcome"]), (vec![id.clone()], &json!(outcome)));
    }
}

/// A provider need not say how many tokens there were: then they are estimated, which a page says, and a row.
#[test]
fn an_estimate_of_tokens_is_marked() {
    let ask =
        "workflow: ask\nowner: shop@example.com\nsteps: [{id: ask, type: call_llm, model: test/model, prompt: one}]\n";
    for is_counted in [true, false] {
        let surface = surface().workflow(ask);
        surface.world.models.script(move |_| {
            let said = says("two three");
            Some(if is_counted {
                said
            } else {
                said.map(|said| ModelAnswer { tokens: TokenCounts::default(), ..said })
            })
        });
        let id = start(&surface, "ask", &json!({}));
        surface.settle();
        let page = show(&surface, &id);
        let rows = page["history"]["items"].as_array().expect("an execution has a history");
        let row = rows.iter().find(|row| row["step"] == "ask").expect("the call is a row");
        let (tokens, mark) = if is_counted { (json!(120), None) } else { (json!(4), Some(&Value::Bool(true))) };
        assert_eq!((&page["tokens"], page.get("estimated")), (&tokens, mark), "{page}");
        assert_eq!((&row["tokens"], row.get("estimated")), (&tokens, mark), "{row}");
    }
}

/// A kill holds an execution beyond its due time: it goes on when the kill is lifted, not at a time that is over.
#[test]
fn a_killed_execution_shows_no_due_time_in_the_past() {
    for scope in ["executions/{id}", "workflows/remind", "installation"] {
        let surface = shop();
        let id = start(&surface, "remind", &on("o1"));
        surface.settle();
        assert!(show(&surface, &id)["due_at"].is_string(), "it waits for a time");
        let path = format!("/v1/{}", scope.replace("{id}", &id));
        surface.post(&format!("{path}/kill")).json(&json!({"reason": "stop"})).send().expect(200);
        surface.world.clock.advance(SignedDuration::from_hours(48));
        surface.settle();
        let listed = surface.get("/v1/executions?workflow=remind").send().expect(200)["items"][0].clone();
        for shown in [show(&surface, &id), listed] {
            assert_eq!((&shown["status"], shown.get("due_at")), (&json!("waiting"), None), "{scope}");
            assert_eq!(shown["indicators"], json!(["killed"]), "{scope}");
        }
        let answer = surface.post(&format!("{path}/lift")).json(&json!({"reason": "go on"})).send();
        answer.expect(if scope.starts_with("executions") { 200 } else { 202 });
        surface.settle();
        assert_ne!(show(&surface, &id)["status"], "waiting", "{scope}");
    }
}
