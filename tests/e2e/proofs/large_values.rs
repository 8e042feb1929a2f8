//! Values that no item and no message could hold.

use serde_json::json;

use crate::installation::beside_others;
use crate::tracker::{LARGE, Tracker};

const HEAVY: &str = "
workflow: heavy
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
variables: [{name: text, type: text, from: [trigger.body.text]}]
steps:
  - {id: call, type: http_request, method: POST, url: 'http://TRACKER/large', timeout: 5s, save_as: answer}
  - {id: rest, type: delay, for: 4s}
  - {id: end, type: note, text: '{{ string(size(vars.text)) + \" and \" + string(size(vars.answer.body.text)) }}'}
";

/// Beyond the 256 KiB of a queue's message.
const SENT: usize = 600_000;

#[tokio::test(flavor = "multi_thread")]
async fn large_values_go_by_the_blob_store() {
    let (pawl, tracker) = (beside_others().await, Tracker::start().await);
    pawl.save(&tracker.addressed(HEAVY)).await;
    let execution = pawl.start("heavy/in", "heavy", &json!({"text": "y".repeat(SENT)})).await;
    execution.waits_at("rest").await;
    let items = pawl.stack.items("Executions").await;
    let key = format!("execution#{}", execution.id);
    let ours: Vec<_> = items.iter().filter(|item| item["pk"]["S"] == *key).map(ToString::to_string).collect();
    assert!(ours.iter().all(|item| item.len() < 100_000), "no item holds a large value");
    assert!(ours.iter().any(|item| item.contains("$pawl_blob")), "items hold references instead: {ours:?}");

    let page = execution.ends_as("completed").await;
    assert_eq!(page.row("end")["note"], format!("{SENT} and {LARGE}"));
    let shown = page.row("call")["output"]["body"]["text"].as_str().map(str::len);
    assert_eq!(shown, Some(LARGE), "operators see the value itself");
}
