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

/// Most kills of each function while the action runs.
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
    let mut killed = [0; 2];
    let done = tokio::select! {
        done = pawl.sweeping(over(&pawl, &path)) => done,
        never = kill(&pawl, &mut killed) => never,
    };
    eprintln!("killed {killed:?} processes while the action ran");
    assert!(killed.iter().all(|killed| *killed > 0), "{killed:?}");
    assert_eq!((&done["state"], &done["executions"]), (&json!("completed"), &json!(MANY)), "{done}");
    let executions = pawl.sweeping(pawl.all_end("touch", MANY)).await;

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

/// The action once it is over.
async fn over(pawl: &Installation, path: &str) -> Value {
    let began = Instant::now();
    loop {
        let operation = pawl.look(path).await;
        if operation["state"] != "running" {
            return operation;
        }
        assert!(began.elapsed() < PATIENCE, "{operation}");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Kills processes of both functions at random moments, and counts the kills of each.
async fn kill(pawl: &Installation, killed: &mut [usize; 2]) -> Value {
    let mut dice = Dice::new();
    loop {
        for ((function, most), killed) in KILLS.iter().zip(killed.iter_mut()) {
            tokio::time::sleep(Duration::from_millis(100 + dice.below(900))).await;
            let running = processes::of(&pawl.stack, function);
            let chosen = usize::try_from(dice.below(1_000)).expect("it is small") % running.len().max(1);
            if let Some(process) = running.get(chosen).filter(|_| *killed < *most) {
                *killed += usize::from(processes::kill(*process));
            }
        }
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
