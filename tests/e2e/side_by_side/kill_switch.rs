//! The kill switch of an execution and of a workflow; that of everything is a proof of its own.

use std::time::Duration;

use serde_json::{Value, json};

use crate::execution::Execution;
use crate::installation::Installation;
use crate::tracker::Tracker;

const STOPPABLE: &str = "
workflow: WORKFLOW
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 20s}
  - {id: call, type: http_request, method: POST, url: 'http://TRACKER/call', timeout: 5s}
";

/// Longer than the delay of the workflow, which is long enough for a kill to come before its end on a busy machine.
const BEYOND_THE_DELAY: Duration = Duration::from_secs(24);

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_an_execution() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    let execution = stoppable(&pawl, &tracker, "stoppable-execution").await;
    stops(&pawl, &tracker, &execution, &format!("/v1/executions/{}", execution.id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_a_workflow() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    let execution = stoppable(&pawl, &tracker, "stoppable-workflow").await;
    stops(&pawl, &tracker, &execution, "/v1/workflows/stoppable-workflow").await;
    let told = |entry: &&Value| entry["workflow"] == "stoppable-workflow";
    let audit = pawl.look("/v1/audit").await;
    let entries = audit["items"].as_array().expect("a listing has items").iter().filter(told);
    let deeds: Vec<_> = entries.map(|entry| (&entry["deed"], &entry["reason"])).take(2).collect();
    let reason = json!("a test");
    assert_eq!(deeds, [(&json!("lift"), &reason), (&json!("kill"), &reason)], "{audit}");
}

/// Starts an execution that rests and then calls.
pub(crate) async fn stoppable<'a>(pawl: &'a Installation, tracker: &Tracker, workflow: &str) -> Execution<'a> {
    pawl.save(&tracker.addressed(&STOPPABLE.replace("WORKFLOW", workflow))).await;
    pawl.start(&format!("{workflow}/in"), workflow, &json!({})).await
}

/// Nothing goes on while it is killed, and all goes on when that is lifted.
pub(crate) async fn stops(pawl: &Installation, tracker: &Tracker, execution: &Execution<'_>, level: &str) {
    execution.waits_at("rest").await;
    let calls = tracker.calls();
    pawl.manage("POST", &format!("{level}/kill"), r#"{"reason": "a test"}"#).await.expect(200);
    execution.shows("killed").await;
    tokio::time::sleep(BEYOND_THE_DELAY).await;
    let page = execution.shows("killed").await;
    assert_eq!((&page["status"], &page["cursor"]), (&json!("waiting"), &json!("rest")), "{page}");
    assert_eq!(tracker.calls(), calls, "killed, it calls nobody");

    // Lifting the kill of more than one execution goes on after the answer.
    let status = if level.starts_with("/v1/executions/") { 200 } else { 202 };
    pawl.manage("POST", &format!("{level}/lift"), r#"{"reason": "a test"}"#).await.expect(status);
    let page = execution.ends_as("completed").await;
    page.has_called("call", &tracker.calls());
}
