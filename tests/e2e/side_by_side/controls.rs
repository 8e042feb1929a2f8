//! What operators do to an execution: pause, resume, cancel, retry, skip.

use serde_json::json;

use crate::installation::Installation;
use crate::tracker::Tracker;

const PATIENT: &str = "
workflow: patient
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 20s}
  - {id: end, type: note, text: rested}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_execution_stays_until_it_is_resumed() {
    let pawl = Installation::deployed();
    pawl.save(PATIENT).await;
    let execution = pawl.start("patient/in", "paused", &json!({})).await;
    execution.waits_at("rest").await;

    let page = execution.control("pause").await.expect(200);
    assert_eq!((&page["status"], &page["pause"]["reason"]), (&json!("paused"), &json!("person")), "{page}");
    execution.control("pause").await.expect(200);
    assert_eq!(execution.control("retry").await.expect(409)["code"], "illegal_transition");
    execution.has_no_schedule().await;

    execution.control("resume").await.expect(200);
    let path = ["created", "started", "rest waiting", "rest", "rest", "rest completed", "end completed"];
    assert_eq!(execution.ends_as("completed").await.path(), path);
    assert_eq!(execution.control("pause").await.status, 409, "what has ended cannot be paused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_execution_ends_and_leaves_no_schedule() {
    let pawl = Installation::deployed();
    pawl.save(&PATIENT.replace("patient", "canceled").replace("5s", "3h")).await;
    let execution = pawl.start("canceled/in", "canceled", &json!({})).await;
    execution.waits_at("rest").await;
    execution.control("cancel").await.expect(200);
    execution.ends_as("canceled").await;
    execution.control("cancel").await.expect(200);
    execution.has_no_schedule().await;
}

const FRAGILE: &str = "
workflow: fragile
owner: tests@example.com
active: true
priority: high
on_failure: {retry: {attempts: 1, first: 1s}, then: pause, notify: owner}
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: call, type: http_request, method: POST, url: 'http://TRACKER/call', timeout: 5s}
  - {id: end, type: note, text: called}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_is_retried_or_skipped_by_an_operator() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    pawl.save(&tracker.addressed(FRAGILE)).await;
    tracker.breaks(503);
    let retried = pawl.start("fragile/in", "retried", &json!({})).await;
    let skipped = pawl.start("fragile/in", "skipped", &json!({})).await;
    for execution in [&retried, &skipped] {
        let page = execution.pauses_at("call").await;
        assert_eq!(page["pause"]["reason"], "failure", "{page}");
        assert_eq!(page["steps"]["call"]["attempt"], 2, "it was tried again by itself: {page}");
        assert_eq!(execution.control("resume").await.status, 409, "resuming would not say which way");
    }
    let notices = pawl.look("/v1/notices?limit=200").await.to_string();
    assert!(notices.contains(&retried.id) && notices.contains(&skipped.id), "the owner is told: {notices}");

    tracker.mends();
    retried.control("retry").await.expect(200);
    let page = retried.ends_as("completed").await;
    page.has_called("call", &tracker.calls());
    assert_eq!(page.0["failed_steps"], json!([]), "a retry takes the failure back: {}", page.0);
    skipped.control("skip").await.expect(200);
    let page = skipped.ends_as("completed").await;
    assert_eq!((&page.row("call")["status"], &page.row("end")["status"]), (&json!("skipped"), &json!("completed")));
}
