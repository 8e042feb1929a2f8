//! A job that fails since AWS refuses what it needs: it is put off, and nothing is given up.

use std::time::Duration;

use serde_json::json;

use crate::installation::Installation;

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
