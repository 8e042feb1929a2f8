//! Many executions mended by one action.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::installation::{Installation, PATIENCE};
use crate::tracker::Tracker;

/// Executions that fail while the service is down.
const MANY: usize = 200;

const CHARGE: &str = "
workflow: charge
owner: tests@example.com
active: true
on_failure: {then: pause, notify: none}
steps:
  - {id: call, type: http_request, method: POST, url: 'http://TRACKER/charge', timeout: 5s}
  - {id: end, type: note, text: charged}
";

/// How many executions of the workflow are in a state.
async fn in_state(pawl: &Installation, status: &str) -> usize {
    pawl.executions("charge").await.iter().filter(|one| one["status"] == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_executions_are_retried_by_one_action_once_the_service_is_back() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    pawl.save(&tracker.addressed(CHARGE)).await;
    tracker.breaks(422);
    for number in 0..MANY {
        // By hand: so many failures open the breaker, which suspends triggers.
        let started = pawl.manage("POST", "/v1/workflows/charge/start", "{}").await.expect(202);
        assert!(started["execution_id"].is_string(), "{number}: {started}");
    }
    let began = Instant::now();
    while in_state(&pawl, "paused").await < MANY {
        assert!(began.elapsed() < PATIENCE, "{} are paused", in_state(&pawl, "paused").await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    tracker.mends();

    let asked = json!({"action": "retry", "filter": {"workflow": "charge", "code": "http_status"}, "rate": 100});
    let begun = pawl.manage("POST", "/v1/operations", &asked.to_string()).await.expect(202);
    let path = format!("/v1/operations/{}", begun["id"].as_str().expect("an action has an id"));
    let began = Instant::now();
    let done = loop {
        let operation: Value = pawl.look(&path).await;
        if operation["state"] != "running" {
            break operation;
        }
        assert!(began.elapsed() < PATIENCE, "{operation}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_eq!((&done["state"], &done["executions"]), (&json!("completed"), &json!(MANY)), "{done}");
    assert_eq!(done["action"]["preview"]["failures"][0]["count"], json!(MANY), "{done}");
    let executions = pawl.all_end("charge", MANY).await;
    assert_eq!(executions.iter().filter(|one| one["status"] == "completed").count(), MANY);
    // One call that failed and one that was retried, of each.
    let calls = tracker.calls();
    assert_eq!((calls.len(), calls.values().max()), (2 * MANY, Some(&1)));
}
