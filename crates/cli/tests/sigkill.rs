//! SIGKILL at random moments under load: nothing acknowledged is lost, nothing committed is repeated.

mod durability;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use durability::{Echo, Load, Server};
use serde_json::Value;

/// How often the process is killed.
const KILLS: usize = 20;

/// Deliveries between two kills lie between these bounds; where in them is drawn.
const BETWEEN: std::ops::Range<u64> = 5..60;

/// The programs that serve the data folder in turn: the present one, and before it that of another version if
/// `cargo xtask upgrade` says so. Then each carries on what the other left half done, as after an update and its rollback.
fn programs() -> Vec<PathBuf> {
    let other = std::env::var_os("PAWL_OTHER_VERSION").map(PathBuf::from);
    other.into_iter().chain([PathBuf::from(env!("CARGO_BIN_EXE_pawl"))]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_process_loses_nothing_acknowledged_and_repeats_nothing_committed() {
    let programs = programs();
    let echo = Echo::start().await;
    let folder = durability::folder(&echo);
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let mut load = Load::default();
    // A fixed seed: where the kill strikes still differs from run to run, since the process is not paused for it.
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
    let mut drawn = |most: u64| {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draw >> 33) % most
    };
    let mut turns = programs.iter().cycle();
    let mut next = || turns.next().expect("there is a program");
    for _ in 0..KILLS {
        let server = Server::start(next(), folder.path(), data.path()).await;
        let new = BETWEEN.start + drawn(BETWEEN.end - BETWEEN.start);
        load.deliver_and_kill(server, new, drawn(new + 1)).await;
    }
    let server = Server::start(next(), folder.path(), data.path()).await;
    assert!(load.acknowledged().len() >= KILLS, "the load reached the server: {}", load.acknowledged().len());
    load.deliver_rest(&server).await;
    for execution in load.acknowledged().values() {
        let page = server.ended(execution).await;
        check_execution(&page, &echo.calls());
    }
    let executions: BTreeSet<_> = load.acknowledged().values().collect();
    assert_eq!(executions.len() as u64, load.sent(), "each delivery has started one execution");
    #[expect(clippy::cast_precision_loss, reason = "some hundreds are exact")]
    let expected = load.sent() as f64;
    assert!((server.counted().await - expected).abs() < 0.5, "each execution has counted once");
    server.kill().await;
}

/// Records on which one action starts a workflow.
const RECORDS: usize = 2_000;

/// How often the process is killed meanwhile.
const KILLS_OF_AN_ACTION: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn an_action_whose_process_is_killed_starts_each_record_once() {
    let programs = programs();
    let folder = durability::bulk::folder();
    let data = tempfile::tempdir().expect("a temporary folder can be made");
    let mut turns = programs.iter().cycle();
    let mut next = || turns.next().expect("there is a program");
    let mut server = Server::start(next(), folder.path(), data.path()).await;
    server.write_records(RECORDS).await;
    let action = server.start_on(RECORDS).await;
    let mut reached = 0;
    for kill in 1..=KILLS_OF_AN_ACTION {
        // Anywhere within a share of the starts: the process works on while the answer comes.
        let share = u64::try_from(RECORDS / (KILLS_OF_AN_ACTION + 1)).expect("a length fits");
        let operation = server.action_reaches(&action, reached + share).await;
        assert_eq!(operation["state"], "running", "kill {kill} strikes amid the action: {operation}");
        reached = operation["executions"].as_u64().expect("a count");
        server.kill().await;
        server = Server::start(next(), folder.path(), data.path()).await;
        assert_eq!(server.start_on(RECORDS).await, action, "a repeat begins nothing");
    }
    let operation = server.action_reaches(&action, u64::MAX).await;
    assert_eq!((&operation["state"], operation["executions"].as_u64()), (&"completed".into(), Some(RECORDS as u64)));
    let executions = server.all_ended("bulk").await;
    let things = server.things().await;
    let on: BTreeSet<_> = executions.iter().map(|one| one["record"].to_string()).collect();
    assert_eq!((executions.len(), on.len(), things.len()), (RECORDS, RECORDS, RECORDS));
    let counts: BTreeSet<_> = things.iter().map(|thing| thing["fields"]["count"].to_string()).collect();
    assert_eq!(counts, BTreeSet::from(["1".to_owned()]), "each execution has counted once");
    server.kill().await;
}

/// It ended, its history has neither gaps nor twins, and its outside calls are those that history counts.
fn check_execution(page: &Value, calls: &BTreeMap<String, u32>) {
    let execution = page["id"].as_str().expect("an execution has an id");
    let rows = page["history"]["items"].as_array().expect("an execution has a history");
    let numbers: Vec<u64> = rows.iter().filter_map(|row| row["seq"].as_u64()).collect();
    let expected: Vec<u64> = (0..u64::try_from(rows.len()).expect("a length fits")).collect();
    assert_eq!(numbers, expected, "the history of {execution} has no gaps and no twins");
    for row in rows.iter().filter(|row| row["step_type"] == "http_request") {
        let step = row["step"].as_str().expect("the row names its step");
        let key = format!("{execution}:{step}:1");
        let called = calls.get(&key).copied().unwrap_or(0);
        let attempts =
            row["attempt"].as_u64().and_then(|attempts| u32::try_from(attempts).ok()).expect("the row counts attempts");
        assert!(called <= attempts, "{key} was called {called} times in {attempts} attempts");
        if step == "once" {
            assert!(called <= 1, "{key} is at_most_once and was called {called} times");
        } else {
            assert!(called >= 1, "{key} completed without a call");
        }
    }
    let status = page["status"].as_str().expect("an execution has a status");
    assert_eq!(status, "completed", "{execution} ends: {page}");
}
