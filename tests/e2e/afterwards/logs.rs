//! What the functions logged while all proofs ran: lines that can be found, without what was sent or is secret.

use serde_json::Value;

use crate::github::Delivery;
use crate::installation::Installation;

/// All functions.
const FUNCTIONS: [&str; 5] = ["webhook-ingress", "trigger-evaluator", "step-executor", "sweeper", "api"];

/// Those that every execution passes through; the others may have nothing to say.
const PASSED: [&str; 3] = ["webhook-ingress", "trigger-evaluator", "step-executor"];

/// What a line may be about that names an execution: the event that starts it, its record or its notice.
const SUBJECTS: [&str; 4] = ["execution_id", "event_id", "record", "notice_id"];

/// Deliveries that the proofs send: signed, repeated, and forged.
const DELIVERIES: [&str; 2] = ["github-issues-opened", "github-issue-comment-created"];

/// What people wrote into the bodies of these deliveries. It becomes fields of records, bodies of calls, and notes.
const WRITTEN: [&str; 3] = ["/issue/title", "/issue/body", "/comment/body"];

#[tokio::test(flavor = "multi_thread")]
async fn each_line_names_its_function() {
    let pawl = Installation::deployed();
    for function in FUNCTIONS {
        for line in written(&pawl, function).await {
            assert_eq!(line["function"], function, "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_about_an_execution_names_it() {
    let pawl = Installation::deployed();
    for function in ["trigger-evaluator", "step-executor"] {
        let lines = written(&pawl, function).await;
        let about: Vec<_> = lines.iter().filter(|line| is_about_an_execution(line)).collect();
        assert!(!about.is_empty(), "expected lines of {function} about executions, found none");
        for line in about {
            let id = line["execution_id"].as_str();
            assert!(id.is_some_and(|id| id.starts_with("exe_")), "{line}");
        }
        for line in lines.iter().filter(|line| message(line).contains("exe_")) {
            assert!(SUBJECTS.iter().any(|field| line[*field].is_string()), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_holds_a_secret_or_what_was_sent() {
    let pawl = Installation::deployed();
    let secrets = pawl.secrets().await;
    assert!(secrets.len() > 1, "expected the secrets that the proofs store, found {}", secrets.len());
    let sent: Vec<_> = DELIVERIES.iter().flat_map(|name| texts(name)).collect();
    assert!(sent.len() > DELIVERIES.len(), "expected texts in each delivery, found {sent:?}");
    for function in FUNCTIONS {
        for line in logged(&pawl, function).await {
            let found = secrets.iter().chain(&sent).find(|text| line.contains(*text));
            assert_eq!(found, None, "{function}: {line}");
        }
    }
}

/// All that was logged of a function, which must have said something itself if executions pass through it.
async fn logged(pawl: &Installation, function: &str) -> Vec<String> {
    let lines = pawl.stack.log(function).await;
    let has_spoken = lines.iter().any(|line| own(line).is_some());
    let may_be_silent = !PASSED.contains(&function);
    assert!(has_spoken || may_be_silent, "expected lines of {function}, found none: run all proofs, these come last");
    lines
}

/// The lines that a function wrote itself.
async fn written(pawl: &Installation, function: &str) -> Vec<Value> {
    logged(pawl, function).await.iter().filter_map(|line| own(line)).collect()
}

/// A line of our own is JSON, other than those by which the platform frames an invocation.
fn own(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok().filter(Value::is_object)
}

/// A transition, or the beginning of an execution.
fn is_about_an_execution(line: &Value) -> bool {
    !line["seq"].is_null() || message(line).starts_with("execution exe_")
}

/// What a line says in words; lines of metrics say nothing.
fn message(line: &Value) -> &str {
    line["message"].as_str().unwrap_or_default()
}

/// What people wrote into a delivery, as it stands in the JSON of a line.
fn texts(delivery: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(&Delivery::read(delivery).body).expect("GitHub sends JSON");
    let texts = WRITTEN.iter().filter_map(|place| body.pointer(place)?.as_str());
    texts.map(|text| Value::from(text).to_string().trim_matches('"').to_owned()).collect()
}
