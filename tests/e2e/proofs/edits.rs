//! Saves that reach executions in flight.

use serde_json::json;

use crate::installation::beside_others;

const FIRST: &str = "
workflow: edited
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: rest, type: delay, for: 5s}
  - {id: say, type: note, text: the first words}
  - id: answered
    type: goal
    on: [{id: answer, type: webhook, verify: none}]
    timeout: 20m
  - {id: end, type: note, text: done}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_save_reaches_an_execution_in_flight() {
    let pawl = beside_others().await;
    pawl.save(FIRST).await;
    let execution = pawl.start("edited/in", "edited", &json!({})).await;
    execution.waits_at("rest").await;
    let second = FIRST.replace("first words", "second words");
    pawl.save(&second).await;
    execution.waits_at("answered").await;

    let (before, after) = second.split_once("  - id: answered").expect("the workflow has a goal");
    let (_, end) = after.split_once("timeout: 20m\n").expect("the goal has a time-out");
    pawl.save(&format!("{before}{end}")).await;
    let page = execution.ends_as("completed").await;
    assert_eq!(page.row("say")["note"], "the second words");
    assert_eq!(page.row("end")["revision"], 3, "the goal was deleted under it: it moved on");
    let schedules = pawl.stack.schedules().await;
    assert!(!schedules.contains(&execution.id), "the goal's time-out is canceled");
}
