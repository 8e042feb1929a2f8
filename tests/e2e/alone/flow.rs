//! Lanes, items, a child and a signal, while processes of the step executor are killed.

use std::time::Duration;

use serde_json::{Value, json};

use super::crashes::{Dice, kill_some, struck};
use crate::execution::Execution;
use crate::installation::{Installation, of_this_run, until};
use crate::tracker::Tracker;

/// Kills that must strike a process at work.
const KILLS: usize = 5;
/// How long a call takes.
const CALL: Duration = Duration::from_millis(400);
/// Items of the loop.
const ITEMS: usize = 24;

const WHOLE: &str = "
workflow: flow-kills
owner: tests@example.com
active: true
on_failure: {then: fail, notify: none}
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - id: all
    type: branch
    lanes:
      paid:
        - {id: wait, type: wait_for_signal, signal: e2e-kills, key: '{{ trigger.body.order }}', earlier: true, timeout: 20m, save_as: paid}
      items:
        - id: each
          type: for_each
          items: '{{ trigger.body.items }}'
          concurrency: 4
          output: steps.call.output.status
          do:
            - {id: call, type: http_request, method: POST, url: 'http://TRACKER/items', body: {n: '{{ item }}'}, timeout: 5s}
            - {id: seen, type: note, text: '{{ string(index) }}'}
      child:
        - {id: start, type: start_workflow, workflow: flow-kills-child, on: none, wait: true, timeout: 20m}
  - {id: end, type: note, text: '{{ string(vars.paid.amount) }}'}
output:
  codes: steps.all.output.items.output.items.map(i, i.output)
  child: steps.all.output.child.output[0].output.status
";

const CHILD: &str = "
workflow: flow-kills-child
owner: tests@example.com
active: true
on_failure: {then: pause, notify: none}
steps:
  - {id: ask, type: http_request, method: POST, url: 'http://TRACKER/child', timeout: 5s, on_failure: {retry: {attempts: 0}}}
output: {status: steps.ask.output.status}
";

#[tokio::test(flavor = "multi_thread")]
async fn killing_step_executors_hurts_neither_lanes_nor_items_nor_children() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    tracker.takes(CALL);
    tracker.breaks_at("/child", 500);
    pawl.save(&tracker.addressed(CHILD)).await;
    pawl.save(&tracker.addressed(WHOLE)).await;
    let order = of_this_run("order");
    let signal = json!({"key": order, "payload": {"amount": 7}}).to_string();
    pawl.manage("POST", "/v1/signals/e2e-kills", &signal).await.expect(202);
    let mut dice = Dice::new();
    let before = struck(&pawl);
    let items: Vec<_> = (0..ITEMS).collect();
    let execution = pawl.start("flow-kills/in", "flow-kills", &json!({"order": order, "items": items})).await;

    let kills = kill_some(&pawl, &mut dice, (before, KILLS));
    let (page, killed) = tokio::join!(Box::pin(pawl.sweeping(mended(&pawl, &tracker, &execution))), kills);
    eprintln!("killed {killed} processes, {} of them at work", struck(&pawl) - before);

    let codes: Vec<_> = page["output"]["codes"].as_array().cloned().unwrap_or_default();
    assert_eq!(codes, vec![json!(200); ITEMS], "{page}");
    assert_eq!(page["output"]["child"], 200, "{page}");
    let calls = tracker.calls();
    let of_items = calls.iter().filter(|(key, _)| key.contains(":call:")).count();
    assert_eq!(of_items, ITEMS, "each item has called under a key of its own: {calls:?}");
    for part in parts(&pawl, &execution.id).await {
        Execution::new(&pawl, &part).ends_as("completed").await;
    }
}

/// The child fails, which a person mends as soon as they see it; the end of the whole.
async fn mended(pawl: &Installation, tracker: &Tracker, execution: &Execution<'_>) -> Value {
    let is_paused = |children: &Vec<Value>| children.iter().any(|child| child["status"] == "paused");
    let look = || pawl.executions("flow-kills-child");
    let children = until("the child to be paused", look, is_paused).await;
    tracker.mends_at("/child");
    let child = children[0]["id"].as_str().expect("an execution has an id");
    Execution::new(pawl, child).control("retry").await.expect(200);
    execution.ends_as("completed").await.0
}

/// All that an execution started, at any depth.
async fn parts(pawl: &Installation, id: &str) -> Vec<String> {
    let mut all = vec![id.to_owned()];
    let mut next = 0;
    while let Some(parent) = all.get(next).cloned() {
        let mut cursor = String::new();
        loop {
            let page = pawl.look(&format!("/v1/executions/{parent}/children?limit=100{cursor}")).await;
            let ids = page["items"].as_array().into_iter().flatten().filter_map(|child| child["id"].as_str());
            let new: Vec<_> = ids.map(str::to_owned).filter(|id| !all.contains(id)).collect();
            all.extend(new);
            match page["next"].as_str() {
                Some(after) => cursor = format!("&cursor={after}"),
                None => break,
            }
        }
        next += 1;
    }
    all
}
