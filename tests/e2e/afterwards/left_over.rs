//! What still waits when all proofs have ended: nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::installation::{Installation, until};

/// Queues, with their dead letters and what could not be delivered.
const QUEUES: [&str; 9] = [
    "EventsQueue",
    "JobsQueue",
    "JobsHighQueue",
    "JobsSlowQueue",
    "EventsDeadLetters",
    "JobsDeadLetters",
    "JobsHighDeadLetters",
    "JobsSlowDeadLetters",
    "UndeliveredQueue",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_over() {
    let pawl = Installation::deployed();
    let nothing = |left: &BTreeMap<String, String>| left.is_empty();
    until("nothing left over", || left_over(&pawl), nothing).await;
}

/// What still waits, by what it is.
async fn left_over(pawl: &Installation) -> BTreeMap<String, String> {
    let mut left = BTreeMap::new();
    for queue in QUEUES {
        let count = pawl.stack.messages(queue).await;
        if count > 0 {
            left.insert(queue.to_owned(), format!("{count} messages"));
        }
    }
    left.extend(pawl.stack.schedules().await.into_iter().map(|name| (name, "a schedule".to_owned())));
    for item in pawl.stack.items("Executions").await {
        let (key, sort) = (text(&item["pk"]), text(&item["sk"]));
        if let Some(why) = waits(key, sort, &item) {
            left.insert(format!("{key}/{sort}"), why);
        }
    }
    left
}

/// Why an item says that something is still to happen.
fn waits(key: &str, sort: &str, item: &Value) -> Option<String> {
    if key.starts_with("waiter#") {
        return Some("a goal that waits".to_owned());
    }
    if !key.starts_with("execution#") || sort != "head" {
        return None;
    }
    let image = serde_json::from_value(item.clone()).expect("attributes as the service writes them");
    let body = pawl_aws::item(image).expect("an item of ours").body;
    let stored: Value = serde_json::from_str(&body).expect("a head is JSON");
    let head = &stored["execution"];
    if head.is_null() {
        // A refusal stands in its place.
        return None;
    }
    let ended = matches!(head["status"].as_str(), Some("completed" | "failed" | "canceled"));
    let leased = !head["lease"].is_null();
    let due = !item["i4p"].is_null() || text(&item["i3p"]).starts_with("moving");
    (!ended || leased || due).then(|| format!("{}, leased: {leased}, due: {due}", head["status"]))
}

fn text(attribute: &Value) -> &str {
    attribute["S"].as_str().unwrap_or_default()
}
