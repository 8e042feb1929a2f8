//! Lanes, loops and signals.

use serde_json::{Value, json};

use crate::installation::Installation;
use crate::tracker::Tracker;

const LANES: &str = "
workflow: lanes
owner: tests@example.com
active: true
on_failure: {then: fail, notify: none}
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - id: gather
    type: branch
    lanes:
      paid:
        - {id: wait, type: wait_for_signal, signal: e2e-paid, key: '{{ trigger.body.order }}', earlier: true, timeout: 10m, save_as: paid}
      told:
        - {id: call, type: http_request, method: POST, url: 'http://TRACKER/lanes', timeout: 5s}
        - {id: rest, type: delay, for: 1s}
        - {id: told, type: set_variables, values: {told: '{{ steps.call.output.status }}'}}
  - {id: end, type: note, text: '{{ string(vars.paid.amount) + \" and \" + string(vars.told) }}'}
";

const LOOP: &str = "
workflow: loop
owner: tests@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - id: each
    type: for_each
    items: '{{ trigger.body.items }}'
    output: vars.double
    do: [{id: double, type: set_variables, values: {double: '{{ item.n * 2 }}'}}]
output: {completed: steps.each.output.completed, last: 'steps.each.output.items[499].output'}
";

#[tokio::test(flavor = "multi_thread")]
async fn lanes_wait_beside_each_other_and_a_signal_before_its_waiter_is_not_lost() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    pawl.save(&tracker.addressed(LANES)).await;
    let order = crate::installation::of_this_run("order");
    let signal = json!({"key": order, "payload": {"amount": 7}}).to_string();
    let sent = pawl.manage("POST", "/v1/signals/e2e-paid", &signal).await.expect(202);
    assert_eq!(sent["status"], "kept", "nobody waits for it: {sent}");
    let execution = pawl.start("lanes/in", "lanes", &json!({"order": order})).await;
    let page = execution.ends_as("completed").await;
    assert_eq!(page.row("end")["note"], "7 and 200", "{}", page.0);
    let lanes = pawl.look(&format!("/v1/executions/{}/children", execution.id)).await;
    let mut names: Vec<_> = lanes["items"].as_array().into_iter().flatten().map(|lane| lane["lane"].clone()).collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(names, [json!("gather.paid"), json!("gather.told")], "{lanes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_of_five_hundred_items() {
    let pawl = Installation::deployed();
    pawl.save(LOOP).await;
    let items: Vec<_> = (0..500).map(|n| json!({"n": n, "text": "an item of a list"})).collect();
    let execution = pawl.start("loop/in", "loop", &json!({"items": items})).await;
    let ended = |page: &Value| matches!(page["status"].as_str(), Some("completed" | "failed" | "canceled" | "paused"));
    let page = execution.becomes("ended", ended).await;
    assert_eq!(page["output"], json!({"completed": 500, "last": 998}), "{page}");
}
