//! The kill switch at its three levels.

use std::time::Duration;

use serde_json::json;

use crate::execution::Execution;
use crate::installation::{Installation, alone};
use crate::tracker::Tracker;

const STOPPABLE: &str = "
workflow: stoppable
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 4s}
  - {id: call, type: http_request, method: POST, url: 'http://TRACKER/call', timeout: 5s}
";

/// Longer than the delay of the workflow.
const BEYOND_THE_DELAY: Duration = Duration::from_secs(7);

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_an_execution_a_workflow_and_everything() {
    let (pawl, tracker) = (alone().await, Tracker::start().await);
    pawl.save(&tracker.addressed(STOPPABLE)).await;
    let execution = pawl.start("stoppable/in", "execution", &json!({})).await;
    is_stopped(&pawl, &tracker, &execution, &format!("/v1/executions/{}", execution.id)).await;
    let execution = pawl.start("stoppable/in", "workflow", &json!({})).await;
    is_stopped(&pawl, &tracker, &execution, "/v1/workflows/stoppable").await;
    let execution = pawl.start("stoppable/in", "installation", &json!({})).await;
    is_stopped(&pawl, &tracker, &execution, "/v1/installation").await;

    let audit = pawl.look("/v1/audit").await;
    let deeds = audit["items"].as_array().expect("a listing has items").iter();
    let deeds: Vec<_> = deeds.map(|entry| (entry["deed"].as_str(), entry["workflow"].as_str())).collect();
    let everything = [(Some("lift"), None), (Some("kill"), None)];
    let workflow = [(Some("lift"), Some("stoppable")), (Some("kill"), Some("stoppable"))];
    assert_eq!(deeds, [everything, workflow].concat());
}

/// Nothing goes on while it is killed, and all goes on when that is lifted.
async fn is_stopped(pawl: &Installation, tracker: &Tracker, execution: &Execution<'_>, level: &str) {
    execution.waits_at("rest").await;
    let calls = tracker.calls();
    pawl.manage("POST", &format!("{level}/kill"), r#"{"reason": "a test"}"#).await.expect(200);
    execution.shows("killed").await;
    tokio::time::sleep(BEYOND_THE_DELAY).await;
    let page = execution.shows("killed").await;
    assert_eq!((&page["status"], &page["cursor"]), (&json!("waiting"), &json!("rest")), "{page}");
    assert_eq!(tracker.calls(), calls, "killed, it calls nobody");

    pawl.manage("POST", &format!("{level}/lift"), r#"{"reason": "a test"}"#).await.expect(200);
    let page = execution.ends_as("completed").await;
    page.has_called("call", &tracker.calls());
}
