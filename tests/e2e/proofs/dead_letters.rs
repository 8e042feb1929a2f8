//! A job that always fails: given up, shown as stalled, and brought back.

use std::time::Instant;

use serde_json::json;

use crate::installation::{Installation, PATIENCE, alone, until};
use crate::stack::Service;

const DOOMED: &str = "
workflow: doomed
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 4s}
  - {id: end, type: note, text: here}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_always_fails_stalls_its_execution_until_it_is_redriven() {
    let pawl = alone().await;
    pawl.save(DOOMED).await;
    let execution = pawl.start("doomed/in", "doomed", &json!({})).await;
    execution.waits_at("rest").await;
    // What goes wrong: somebody took away a permission that the step executor needs.
    let taken = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}],
    });
    let role = &pawl.stack.resource("StepExecutorRole").await;
    pawl.stack.set_policy(role, "taken-away", Some(&taken)).await;
    let attempts = set_attempts(&pawl, "2").await;

    let began = Instant::now();
    while pawl.stack.messages("JobsDeadLetters").await == 0 {
        assert!(began.elapsed() < PATIENCE, "expected the job among the dead letters");
        pawl.sweep().await;
    }
    pawl.sweep().await;
    let page = execution.shows("stalled").await;
    assert_eq!((&page["status"], &page["cursor"]), (&json!("waiting"), &json!("rest")), "{page}");

    pawl.stack.set_policy(role, "taken-away", None).await;
    set_attempts(&pawl, &attempts).await;
    let redriven = pawl.manage("POST", "/v1/installation/redrive", "{}").await.expect(200);
    assert!(redriven["messages"].as_u64().is_some_and(|count| count >= 1), "{redriven}");
    let page = execution.ends_as("completed").await;
    assert_eq!(page.0["indicators"], json!([]), "nothing is left of it: {}", page.0);
    let empty = |count: &u64| *count == 0;
    until("no dead letter", || pawl.stack.messages("JobsDeadLetters"), empty).await;
}

/// Changes how often a job is received before it is given up; returns how often it was before.
async fn set_attempts(pawl: &Installation, attempts: &str) -> String {
    let queue = pawl.stack.queue("JobsQueue");
    let asked = json!({"QueueUrl": queue, "AttributeNames": ["RedrivePolicy"]});
    let found = pawl.stack.ask(Service::Sqs, "GetQueueAttributes", asked).await;
    let policy = found["Attributes"]["RedrivePolicy"].as_str().expect("the queue has dead letters");
    let mut policy: serde_json::Value = serde_json::from_str(policy).expect("a policy is JSON");
    let before = policy["maxReceiveCount"].to_string().trim_matches('"').to_owned();
    policy["maxReceiveCount"] = json!(attempts);
    let changed = json!({"QueueUrl": queue, "Attributes": {"RedrivePolicy": policy.to_string()}});
    pawl.stack.ask(Service::Sqs, "SetQueueAttributes", changed).await;
    before
}
