//! Starts on many records by one action, while processes of the trigger evaluator and of the step executor are killed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};

use super::crashes::Dice;
use crate::installation::{Installation, of_this_run};
use crate::processes;

/// Records, and starts.
const MANY: usize = 2_000;

/// Requests that are under way at a time.
const AT_ONCE: usize = 16;

/// Kills of each function while the action runs.
const KILLS: [(&str, usize); 2] = [("trigger-evaluator", 2), ("step-executor", 10)];

/// How long all of it may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(10);

const PART: &str = "
object: part
fields: {name: {type: text}, count: {type: number}}
";

const TOUCH: &str = "
workflow: touch
owner: tests@example.com
object: part
active: true
on_failure: {then: pause, notify: none}
steps:
  - {id: add, type: set_fields, fields: {count: {add: 1}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_starts_lose_none_and_start_none_twice() {
    let pawl = Installation::deployed();
    pawl.save_object(PART).await;
    pawl.save(TOUCH).await;
    let records: Vec<_> = (0..MANY).map(|number| of_this_run(&format!("part-{number}"))).collect();
    write(&pawl, &records).await;

    let asked = json!({"records": records, "rate": 1_000, "concurrency": 50}).to_string();
    let begun = pawl.manage("POST", "/v1/workflows/touch/starts", &asked).await.expect(202);
    let path = format!("/v1/operations/{}", begun["id"].as_str().expect("an action has an id"));
    let began = Instant::now();
    let (done, ()) = tokio::join!(over(&pawl, &path), kill(&pawl));
    assert_eq!((&done["state"], &done["executions"]), (&json!("completed"), &json!(MANY)), "{done}");
    let executions = all_ended(&pawl, began).await;

    let of = |one: &Value| one["record"]["id"].as_str().map(str::to_owned);
    let started: BTreeSet<_> = executions.iter().filter_map(of).collect();
    assert_eq!((executions.len(), started), (MANY, records.iter().cloned().collect()), "each is started once");
    let open: Vec<_> = executions.iter().filter(|one| one["status"] != "completed").collect();
    assert!(open.is_empty(), "{open:?}");
    let counts = counts(&pawl).await;
    assert_eq!((counts.len(), counts.iter().filter(|count| **count != 1).count()), (MANY, 0), "each counts once");
}

/// Writes the records.
async fn write(pawl: &Installation, records: &[String]) {
    let written = futures::stream::iter(records).for_each_concurrent(AT_ONCE, |record| async move {
        let body = json!({"fields": {"name": record}}).to_string();
        let answer = pawl.manage("PUT", &format!("/v1/objects/part/records/{record}"), &body).await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
    });
    written.await;
}

/// The action once it is over. The sweeper, which finds what a kill has cut off, looks more often than once a minute.
async fn over(pawl: &Installation, path: &str) -> Value {
    let began = Instant::now();
    loop {
        let operation = pawl.look(path).await;
        if operation["state"] != "running" {
            return operation;
        }
        assert!(began.elapsed() < PATIENCE, "{operation}");
        pawl.sweep().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Kills processes of both functions, at random moments.
async fn kill(pawl: &Installation) {
    let mut dice = Dice::new();
    for (function, kills) in KILLS {
        let began = Instant::now();
        let mut killed = 0;
        while killed < kills && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(300 + dice.below(1_500))).await;
            let running = processes::of(&pawl.stack, function);
            let Some(chosen) = running.get(usize::try_from(dice.below(1_000)).unwrap_or(0) % running.len().max(1))
            else {
                continue;
            };
            killed += usize::from(processes::kill(*chosen));
        }
        eprintln!("killed {killed} processes of {function}");
    }
}

/// All executions, once each has ended.
async fn all_ended(pawl: &Installation, began: Instant) -> Vec<Value> {
    loop {
        let executions = pawl.executions("touch").await;
        let is_open = |one: &&Value| !matches!(one["status"].as_str(), Some("completed" | "failed" | "canceled"));
        let open = executions.iter().filter(is_open).count();
        if open == 0 {
            return executions;
        }
        assert!(began.elapsed() < PATIENCE, "{open} of {} executions are open", executions.len());
        pawl.sweep().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// What was counted on each record.
async fn counts(pawl: &Installation) -> Vec<u64> {
    let (mut counts, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = pawl.look(&format!("/v1/objects/part/records?limit=200{cursor}")).await;
        let items = page["items"].as_array().into_iter().flatten();
        counts.extend(items.map(|record| record["fields"]["count"].as_u64().unwrap_or_default()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return counts,
        }
    }
}
