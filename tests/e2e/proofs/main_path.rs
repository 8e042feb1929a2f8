//! From a signed webhook to a goal that is met, and to one that is not.

use serde_json::json;

use crate::github::{self, Delivery};
use crate::installation::{beside_others, until};
use crate::tracker::Tracker;

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_calls_waits_by_schedule_and_completes_when_its_goal_is_met() {
    let (pawl, tracker) = (beside_others().await, Tracker::start().await);
    pawl.keep_secret("github", github::SECRET).await;
    pawl.keep_secret("tracker", "fake-tracker-token").await;
    pawl.save_object(include_str!("../workflows/ticket.object.yaml")).await;
    pawl.save(&tracker.addressed(include_str!("../workflows/support-triage.workflow.yaml"))).await;

    let delivered =
        pawl.deliver_github("support-triage/github", Delivery::read("github-issues-opened").of_this_run()).await;
    let execution = pawl.started_by(delivered);

    let page = execution.waits_at("cool-down").await;
    assert_eq!(page["wake"]["purpose"], "delay", "{page}");
    assert!(pawl.stack.schedules().await.contains(&execution.id), "the wait is a schedule of the execution's name");
    let sent = (Some("Bearer fake-tracker-token".to_owned()), json!({"title": "Spelling error in the README file"}));
    assert_eq!(tracker.last("/issues"), sent);

    let page = execution.waits_at("answered").await;
    let ticket = page["record"]["id"].as_str().expect("it runs on a record");
    pawl.change_record("ticket", ticket, json!({"status": "answered"})).await;

    let page = execution.ends_as("completed").await;
    let path = [
        "created",
        "started",
        "tell-tracker completed",
        "cool-down waiting",
        "cool-down completed",
        "answered waiting",
        "answered completed met",
        "close completed",
    ];
    assert_eq!(page.path(), path);
    page.has_called("tell-tracker", &tracker.calls());
    assert!(!page.0.to_string().contains("fake-tracker-token"), "no secret stands in history");
    let ticket = pawl.look(&format!("/v1/objects/ticket/records/{ticket}")).await;
    assert_eq!(ticket["fields"]["status"], "closed", "{ticket}");
    let is_gone = |names: &Vec<String>| !names.contains(&execution.id);
    until("the time-out's schedule to be canceled", || pawl.stack.schedules(), is_gone).await;
}

const SILENCE: &str = "
workflow: silence
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - id: answered
    type: goal
    on: [{id: answer, type: webhook, verify: none}]
    timeout: 4s
    met: [{id: thanks, type: note, text: thanks}]
    unmet: [{id: give-up, type: stop, as: canceled, reason: nobody answered}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_that_nobody_meets_times_out() {
    let pawl = beside_others().await;
    pawl.save(SILENCE).await;
    let execution = pawl.start("silence/in", "silence", &json!({})).await;
    let page = execution.waits_at("answered").await;
    assert_eq!(page["wake"]["reason"], "signal", "{page}");
    assert!(pawl.stack.schedules().await.contains(&execution.id), "the time-out is a schedule");

    let page = execution.ends_as("canceled").await;
    let path = ["created", "started", "answered waiting", "answered timed_out unmet", "give-up completed"];
    assert_eq!(page.path(), path);
    assert_eq!(page.0["reason"], "nobody answered");
}
