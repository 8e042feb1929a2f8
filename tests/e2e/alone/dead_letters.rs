//! Jobs that fail: one that always does is given up, shown as stalled, and brought back; one that fails because AWS refuses
//! what it needs is put off.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::installation::{Installation, PATIENCE, until};
use crate::stack::Service;

const DOOMED: &str = "
workflow: doomed
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 20s}
  - {id: end, type: note, text: here}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_always_fails_stalls_its_execution_until_it_is_redriven() {
    let pawl = Installation::deployed();
    pawl.save(DOOMED).await;
    // Too large for the head, so that it stands in an item of its own.
    let execution = pawl.start("doomed/in", "doomed", &json!({"text": "x".repeat(2_000)})).await;
    execution.waits_at("rest").await;
    // What goes wrong: the event that every job of the execution reads is damaged.
    let event = event_of(&pawl, &execution.id).await;
    let mut damaged = event.clone();
    damaged.as_object_mut().expect("an item is an object").remove("z").expect("its body is packed");
    damaged["b"] = json!({"S": "no JSON"});
    put(&pawl, &damaged).await;
    let attempts = set_attempts(&pawl, "2").await;

    // The sweeper sends an unmarked dead letter back some times before it marks the execution.
    let began = Instant::now();
    let page = loop {
        pawl.sweep().await;
        let page = pawl.look(&format!("/v1/executions/{}", execution.id)).await;
        if page["indicators"] == json!(["stalled"]) {
            break page;
        }
        assert!(began.elapsed() < PATIENCE, "expected it to be stalled, found {page}");
    };
    assert_eq!((&page["status"], &page["cursor"]), (&json!("waiting"), &json!("rest")), "{page}");
    assert!(pawl.stack.messages("JobsDeadLetters").await >= 1, "the job is among the dead letters");

    put(&pawl, &event).await;
    set_attempts(&pawl, &attempts).await;
    let redriven = pawl.manage("POST", "/v1/installation/redrive", "{}").await.expect(202);
    assert!(redriven["messages"].as_u64().is_some_and(|count| count >= 1), "{redriven}");
    let page = execution.ends_as("completed").await;
    assert_eq!(page.0["indicators"], json!([]), "nothing is left of it: {}", page.0);
    let empty = |count: &u64| *count == 0;
    until("no dead letter", || pawl.stack.messages("JobsDeadLetters"), empty).await;
}

/// The item of the event that started an execution, as stored.
async fn event_of(pawl: &Installation, execution: &str) -> Value {
    let partition = format!("execution#{execution}");
    let is_it = |item: &Value| {
        let has = |text: &str| item.as_object().is_some_and(|item| item.values().any(|value| value["S"] == text));
        has(&partition) && has("event")
    };
    pawl.stack.items("Executions").await.into_iter().find(is_it).expect("an execution has an event")
}

async fn put(pawl: &Installation, item: &Value) {
    let asked = json!({"TableName": pawl.stack.output("ExecutionsTableName"), "Item": item});
    pawl.stack.ask(Service::DynamoDb, "PutItem", asked).await;
}

/// Changes how often a job is received before it is given up; returns how often it was before.
async fn set_attempts(pawl: &Installation, attempts: &str) -> String {
    let queue = pawl.stack.queue("JobsQueue");
    let asked = json!({"QueueUrl": queue, "AttributeNames": ["RedrivePolicy"]});
    let found = pawl.stack.ask(Service::Sqs, "GetQueueAttributes", asked).await;
    let policy = found["Attributes"]["RedrivePolicy"].as_str().expect("the queue has dead letters");
    let mut policy: Value = serde_json::from_str(policy).expect("a policy is JSON");
    let before = policy["maxReceiveCount"].to_string().trim_matches('"').to_owned();
    policy["maxReceiveCount"] = json!(attempts);
    let changed = json!({"QueueUrl": queue, "Attributes": {"RedrivePolicy": policy.to_string()}});
    pawl.stack.ask(Service::Sqs, "SetQueueAttributes", changed).await;
    before
}

const DENIED: &str = "
workflow: denied
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 4s}
  - {id: end, type: note, text: here}
";

/// How long the permission is away: the step executor tries in vain several times.
const AWAY: Duration = Duration::from_secs(15);

/// It was given up after its deliveries, and its execution was stalled until a person redrove it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_since_a_service_refuses_is_put_off_and_goes_on_by_itself() {
    let pawl = Installation::deployed();
    pawl.save(DENIED).await;
    let execution = pawl.start("denied/in", "denied", &json!({})).await;
    execution.waits_at("rest").await;
    // What goes wrong: somebody took away a permission that the step executor needs.
    let taken = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}],
    });
    let role = &pawl.stack.resource("StepExecutorRole").await;
    pawl.stack.set_policy(role, "taken-away", Some(&taken)).await;

    tokio::time::sleep(AWAY).await;
    pawl.sweep().await;
    let page = pawl.look(&format!("/v1/executions/{}", execution.id)).await;
    assert_eq!(
        (&page["status"], &page["cursor"], &page["indicators"]),
        (&json!("waiting"), &json!("rest"), &json!([]))
    );
    assert_eq!(pawl.stack.messages("JobsDeadLetters").await, 0, "nothing is given up");

    pawl.stack.set_policy(role, "taken-away", None).await;
    execution.ends_as("completed").await;
    assert_eq!(pawl.stack.messages("JobsDeadLetters").await, 0, "nothing was given up");
}
