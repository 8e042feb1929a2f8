//! The sweeper, whom nobody calls here: a rule of the template wakes it each minute.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::installation::Installation;

const FORGOTTEN: &str = "
workflow: forgotten
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 15s}
  - {id: end, type: note, text: found}
";

/// For how long the sweeper takes what is overdue for late only. Whoever else wakes an execution does it when it is due.
const GRACE_S: i64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn what_lost_its_reason_to_wake_is_found_by_the_sweeper() {
    let pawl = Installation::deployed();
    pawl.save(FORGOTTEN).await;
    let execution = pawl.start("forgotten/in", "forgotten", &json!({})).await;
    let schedule = execution.has_a_schedule().await;
    let due = time(&execution.waits_at("rest").await["due_at"]);
    pawl.stack.delete_schedule(&schedule).await;

    let page = execution.ends_as("completed").await;
    assert_eq!(page.path(), ["created", "started", "rest waiting", "rest completed", "end completed"]);
    let late = time(&page.row("rest")["at"]).duration_since(due);
    assert!(late.as_secs() >= GRACE_S, "expected the sweeper to wake it, found that it went on {late} after its time");
}

fn time(written: &Value) -> Timestamp {
    written.as_str().and_then(|time| time.parse().ok()).unwrap_or_else(|| panic!("expected a time, found {written}"))
}
