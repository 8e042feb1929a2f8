//! The installation: kill, notices, health, counters.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_runtime::ports::{QueueName, QueueSource};
use serde_json::json;

use crate::shop::REPORT;
use crate::surface::surface;
use crate::workflows::start;

#[test]
fn a_kill_of_everything_holds_until_it_is_lifted() {
    let surface = surface().workflow(REPORT);
    let killed = surface.post("/v1/installation/kill").json(&json!({"reason": "drill"})).send().expect(200);
    assert_eq!((&killed["killed"]["reason"], &killed["killed"]["actor"]), (&json!("drill"), &json!("api")));
    let id = start(&surface, "report", &json!({}));
    surface.settle();
    let shown = surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!((&shown["status"], &shown["indicators"]), (&json!("queued"), &json!(["killed"])));
    assert_eq!(surface.get("/v1/installation").send().expect(200)["killed"]["reason"], "drill");

    surface.post("/v1/installation/lift").send().expect(202);
    surface.settle();
    assert_eq!(surface.get(&format!("/v1/executions/{id}")).send().expect(200)["status"], "completed");
}

#[test]
fn a_lift_names_the_operation_that_goes_on_after_its_answer() {
    let surface = surface().workflow(REPORT);
    for scope in ["installation", "workflows/report"] {
        surface.post(&format!("/v1/{scope}/kill")).send().expect(200);
        start(&surface, "report", &json!({}));
        surface.settle();
        let lifted = surface.post(&format!("/v1/{scope}/lift")).send().expect(202);
        let path = format!("/v1/operations/{}", lifted["operation"].as_str().expect("it has an operation"));
        surface.settle();
        let operation = surface.get(&path).send().expect(200);
        assert_eq!((&operation["state"], &operation["executions"]), (&json!("completed"), &json!(1)), "{scope}");
        // Lifting it again looks again.
        let again = surface.post(&format!("/v1/{scope}/lift")).send().expect(202);
        assert_eq!(again["operation"], lifted["operation"], "{scope}");
        assert_eq!(surface.get(&path).send().expect(200)["state"], "running", "{scope}");
    }
    let unknown = surface.get("/v1/operations/lift.report.99").send().expect(404);
    assert_eq!(unknown["code"], "no_operation");
}

#[test]
fn who_used_the_kill_switches_is_listed() {
    let surface = surface().workflow(REPORT);
    let why = json!({"reason": "drill", "actor": "ada@example.com"});
    surface.post("/v1/workflows/report/kill").json(&why).send().expect(200);
    surface.world.clock.advance(jiff::SignedDuration::from_secs(60));
    surface.post("/v1/workflows/report/lift").json(&json!({"reason": "over"})).send().expect(202);
    let listed = surface.get("/v1/audit").send().expect(200)["items"].clone();
    let told = |at: usize| ["deed", "workflow", "actor", "reason"].map(|key| listed[at][key].clone());
    assert_eq!(told(0), ["lift", "report", "api", "over"]);
    assert_eq!(told(1), ["kill", "report", "ada@example.com", "drill"]);
}

#[test]
fn executions_of_a_killed_workflow_are_listed_as_killed() {
    let surface = surface().workflow(REPORT);
    surface.post("/v1/workflows/report/kill").send().expect(200);
    start(&surface, "report", &json!({}));
    surface.settle();
    for path in ["/v1/executions", "/v1/executions?workflow=report"] {
        assert_eq!(surface.get(path).send().expect(200)["items"][0]["indicators"], json!(["killed"]));
    }
}

#[test]
fn notices_are_listed() {
    let surface = surface().workflow(REPORT);
    start(&surface, "report", &json!({"values": {"divisor": 0}}));
    surface.settle();
    let notice = &surface.get("/v1/notices").send().expect(200)["items"][0];
    assert_eq!((&notice["to"], &notice["severity"]), (&json!("shop@example.com"), &json!("error")));
}

#[test]
fn health_and_counters_are_told() {
    let surface = surface().workflow(REPORT);
    start(&surface, "report", &json!({}));
    surface.settle();
    let expected = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")});
    assert_eq!(surface.get("/v1/health").send().expect(200), expected);
    let counted = surface.get("/v1/metrics").send().expect(200);
    assert_eq!((&counted["executions_created"], &counted["executions_completed"]), (&json!(1), &json!(1)));
}

#[test]
fn files_are_described_by_a_schema() {
    let schema = surface().get("/v1/schema/workflow").send();
    assert_eq!(schema.header("content-type"), Some("application/schema+json"));
    assert!(schema.expect(200)["properties"]["steps"].is_object());
}

#[test]
fn a_redrive_sends_what_is_stalled_on_its_way() {
    let surface = surface().workflow(REPORT);
    let id = start(&surface, "report", &json!({}));
    // Its event is evaluated; its job is given up.
    let store = &surface.world.store;
    let take = |queue| {
        let received = store.receive(queue, 1, SignedDuration::from_secs(60)).now_or_never();
        let message = received.expect("memory answers at once").expect("memory is readable").remove(0);
        let deleted = store.delete(queue, &message.receipt).now_or_never();
        deleted.expect("memory answers at once").expect("memory is writable");
        message.body
    };
    let event = take(QueueName::Events);
    let system = &surface.world.system;
    system.handle(QueueName::Events, &event, None).now_or_never().expect("memory answers at once").expect("it is read");
    store.give_up(QueueName::Jobs, &take(QueueName::Jobs), 3);
    system.sweeper.sweep(None).now_or_never().expect("memory answers at once").expect("memory is writable");
    let shown = || surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!((&shown()["status"], &shown()["indicators"]), (&json!("queued"), &json!(["stalled"])));

    let redriven = surface.post("/v1/installation/redrive").json(&json!({"reason": "mended"})).send().expect(202);
    let path = format!("/v1/operations/{}", redriven["operation"].as_str().expect("it has an operation"));
    assert_eq!(redriven["messages"], 1);
    let operation = surface.get(&path).send().expect(200);
    assert_eq!((&operation["kind"], &operation["state"]), (&json!("redrive"), &json!("running")));
    surface.settle();
    let operation = surface.get(&path).send().expect(200);
    let [state, executions, messages] = ["state", "executions", "messages"].map(|key| operation[key].clone());
    assert_eq!([state, executions, messages], [json!("completed"), json!(1), json!(1)]);
    assert_eq!((&shown()["status"], &shown()["indicators"]), (&json!("completed"), &json!([])));
    let entry = &surface.get("/v1/audit").send().expect(200)["items"][0];
    assert_eq!((&entry["deed"], &entry["reason"]), (&json!("redrive"), &json!("mended")));
}
