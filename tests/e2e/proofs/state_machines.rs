//! Workflows that run a state machine and wait for it.

use serde_json::{Value, json};

use crate::installation::{Installation, beside_others};
use crate::stack::Service;

/// Less than the time after which a step looks by itself: what ends sooner was told.
const TOLD_WITHIN_S: i64 = 25;

const REVIEWED: &str = "
workflow: WORKFLOW
owner: tests@example.com
active: true
on_failure: {then: fail, notify: none}
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - id: review
    type: run_state_machine
    state_machine: MACHINE
    input: {number: '{{ trigger.body.number }}'}
    wait: true
    callback: CALLBACK
    timeout: 10m
    save_as: reviewed
  - {id: end, type: note, text: '{{ string(vars.reviewed.output.verdict) }}'}
";

/// Makes a state machine; its ARN.
async fn machine(pawl: &Installation, name: &str, definition: &Value) -> String {
    let role = "arn:aws:iam::000000000000:role/state-machines";
    let machine = json!({"name": name, "definition": definition.to_string(), "roleArn": role});
    let made = pawl.stack.ask(Service::StepFunctions, "CreateStateMachine", machine).await;
    made["stateMachineArn"].as_str().expect("a state machine has an ARN").to_owned()
}

/// Saves a workflow that runs it.
async fn save(pawl: &Installation, workflow: &str, machine: &str, callback: &str) {
    let text = REVIEWED.replace("WORKFLOW", workflow).replace("MACHINE", machine).replace("CALLBACK", callback);
    pawl.save(&text).await;
}

/// Seconds between the beginning of the wait and its end.
fn waited(row: &Value) -> i64 {
    let time = |name: &str| row[name].as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let (begun, ended) = (time("started_at").expect("it began"), time("at").expect("it ended"));
    ended.duration_since(begun).as_secs()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_machine_is_run_and_its_end_is_heard() {
    let pawl = beside_others().await;
    let definition = json!({"StartAt": "Think", "States": {
        "Think": {"Type": "Wait", "Seconds": 3, "Next": "Judge"},
        "Judge": {"Type": "Pass", "Parameters": {"verdict": "good", "number.$": "$.number"}, "End": true},
    }});
    let machine = machine(&pawl, "pawl-e2e-review", &definition).await;
    save(&pawl, "reviewed", &machine, "false").await;
    let execution = pawl.start("reviewed/in", "reviewed", &json!({"number": 7})).await;
    execution.waits_at("review").await;
    let page = execution.ends_as("completed").await;
    assert_eq!(page.row("end")["note"], "good", "{}", page.0);
    let output = &page.row("review")["output"];
    assert_eq!((&output["status"], &output["output"]["number"]), (&json!("SUCCEEDED"), &json!(7)), "{}", page.0);
    assert!(waited(page.row("review")) < TOLD_WITHIN_S, "it was told by the bus, and did not have to look");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_machine_calls_back_before_it_ends() {
    let pawl = beside_others().await;
    let entry = json!({
        "Source": "pawl.callback", "DetailType": "answer",
        "Detail": {"token.$": "$.pawl.token", "output": {"verdict": "early"}},
    });
    let definition = json!({"StartAt": "Tell", "States": {
        "Tell": {
            "Type": "Task", "Resource": "arn:aws:states:::events:putEvents",
            "Parameters": {"Entries": [entry]}, "ResultPath": null, "Next": "Linger",
        },
        "Linger": {"Type": "Wait", "Seconds": 20, "End": true},
    }});
    let machine = machine(&pawl, "pawl-e2e-callback", &definition).await;
    save(&pawl, "called-back", &machine, "true").await;
    let execution = pawl.start("called-back/in", "called-back", &json!({"number": 7})).await;
    let page = execution.ends_as("completed").await;
    assert_eq!(page.row("review")["output"]["status"], "CALLED_BACK", "{}", page.0);
    assert_eq!(page.row("end")["note"], "early", "{}", page.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_machine_that_fails_or_may_not_be_started_fails_the_step() {
    let pawl = beside_others().await;
    let definition = json!({"StartAt": "Break", "States": {
        "Break": {"Type": "Fail", "Error": "Review.Broken", "Cause": "nobody is there"},
    }});
    let broken = machine(&pawl, "pawl-e2e-broken", &definition).await;
    save(&pawl, "broken", &broken, "false").await;
    let execution = pawl.start("broken/in", "broken", &json!({"number": 7})).await;
    let page = execution.ends_as("failed").await;
    let error = &page.row("review")["error"];
    assert_eq!(error["code"], "state_machine_failed", "{}", page.0);
    assert!(error["message"].as_str().is_some_and(|message| message.contains("Review.Broken")), "{error}");

    let foreign = machine(&pawl, "pawl-e2e-foreign", &definition).await;
    save(&pawl, "foreign", &foreign, "false").await;
    let execution = pawl.start("foreign/in", "foreign", &json!({"number": 7})).await;
    let page = execution.ends_as("failed").await;
    let code = &page.row("review")["error"]["code"];
    assert_eq!(code, "state_machine_denied", "the template does not name it: {}", page.0);
}
