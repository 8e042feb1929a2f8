//! `aws-load`: executions of `w5` at a hundredth of the rate that an installation must bear, while each partition takes a
//! hundredth of what a partition of `DynamoDB` takes, and throttles what is more. All must end right, and no partition may
//! take more of its part than it has.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use super::capacity::Tables;
use super::gate::{Gate, Taken};
use super::shares::place;
use super::w5::Watched;

/// The part of everything: 1,000 executions a second become 10, which the emulator carries on a laptop beside its work of
/// invoking functions; a partition's 1,000 write units become 10, and its 3,000 read units 30.
const PART: f64 = 0.01;
/// Executions a second that an installation must bear.
const WANTED: f64 = 1_000.0;
/// Executions; at the scaled rate they come for a minute.
const EXECUTIONS: u32 = 600;
/// Executions before any partition is limited: workflows and objects are in memory.
const WARM: u32 = 5;
/// How long nothing may end before those that are left count as lost: longer than a message is hidden from others that a
/// throttled function had in hand, and than the sweeper needs.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often a delivery is repeated that is not taken, as its sender would.
const REPEATS: u32 = 100;
/// Partitions that people are told of.
const TOLD: usize = 20;

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let watched = Arc::new(Watched::start().await?);
    for _ in 0..WARM {
        watched.run().await?;
    }
    let mut tables = Tables::default();
    for call in watched.settle(Duration::from_secs(3)).await.iter().filter(|call| call.status == 200) {
        tables.count(&call.operation, &call.request, &call.answer);
    }
    tables.partitions();
    watched.hold_against(Gate::new(PART, tables));
    let began = Instant::now();
    let (accepted, repeats) = deliver(&watched).await?;
    let delivered = began.elapsed();
    wait(&watched, accepted.clone()).await?;
    let took = began.elapsed();
    let gate = watched.let_all_pass().context("the gate is there")?;
    verify(&watched, &accepted).await?;
    let report = gate.report(took);
    eprintln!("{}", table(&report, took));
    println!("{}", line(&report, (delivered, took), repeats));
    let over = over(&report);
    if !over.is_empty() {
        bail!("more than a partition takes at {WANTED} executions a second: {}", over.join("; "));
    }
    Ok(())
}

/// Delivers webhooks at the scaled rate, each by itself. Returns the executions that they start, and how often deliveries
/// had to be repeated.
async fn deliver(watched: &Arc<Watched>) -> anyhow::Result<(BTreeSet<String>, u32)> {
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / (WANTED * PART)));
    let mut under_way = FuturesUnordered::new();
    for number in 0..EXECUTIONS {
        ticks.tick().await;
        under_way.push(tokio::spawn(deliver_one(watched.clone(), number)));
    }
    let (mut accepted, mut repeats) = (BTreeSet::new(), 0);
    while let Some(delivered) = under_way.next().await {
        let (id, repeated) = delivered??;
        accepted.insert(id);
        repeats += repeated;
    }
    Ok((accepted, repeats))
}

async fn deliver_one(watched: Arc<Watched>, number: u32) -> anyhow::Result<(String, u32)> {
    let body = format!(r#"{{"item":"load-{number}","amount":{number}}}"#);
    let mut last = None;
    for repeated in 0..REPEATS {
        match watched.stack.call("POST", "/hooks/w5/in", &body).await {
            Ok(answer) => {
                let id = answer["execution_id"].as_str().context("expected an execution")?;
                return Ok((id.to_owned(), repeated));
            }
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(last.context("a delivery was not tried")?)
}

/// Waits until all of them have completed.
async fn wait(watched: &Watched, mut open: BTreeSet<String>) -> anyhow::Result<()> {
    let mut last = Instant::now();
    while !open.is_empty() {
        if last.elapsed() > PATIENCE {
            bail!("{} executions did not end, {:?} among them", open.len(), open.first());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        for id in watched.ended() {
            if open.remove(&id) {
                last = Instant::now();
            }
        }
    }
    Ok(())
}

/// Asks for each execution: it has completed, and its history has neither gaps nor twins.
async fn verify(watched: &Watched, executions: &BTreeSet<String>) -> anyhow::Result<()> {
    for id in executions {
        let execution = watched.stack.call("GET", &format!("/v1/executions/{id}"), "").await?;
        let history = watched.stack.call("GET", &format!("/v1/executions/{id}/history"), "").await?;
        let rows = history["items"].as_array().context("a history has items")?;
        let numbers: Vec<u64> = rows.iter().filter_map(|row| row["seq"].as_u64()).collect();
        let expected: Vec<u64> = (0..u64::try_from(rows.len())?).collect();
        let kept = rows.iter().filter(|row| row["step"] == "keep").count();
        if execution["status"] != "completed" || numbers != expected || kept != 1 {
            bail!("expected {id} to complete by each step once, found {} with {numbers:?}", execution["status"]);
        }
    }
    Ok(())
}

/// Units that one execution took, and what that is of a partition at the wanted rate.
fn at_wanted(taken: &Taken) -> (f64, f64) {
    let each = |units: f64| units / f64::from(EXECUTIONS) * WANTED;
    (
        each(taken.units.writes) / super::limits::PARTITION_WRITES,
        each(taken.units.reads) / super::limits::PARTITION_READS,
    )
}

fn largest(taken: &Taken) -> f64 {
    let (writes, reads) = at_wanted(taken);
    writes.max(reads)
}

/// Partitions that would be more than full at the wanted rate, however fast this machine was.
fn over(report: &[Taken]) -> Vec<String> {
    let over = report.iter().filter(|taken| largest(taken) > 1.0);
    over.map(|taken| {
        format!("`{}` of {} at {:.0} %", taken.partition.key, place(&taken.partition), largest(taken) * 100.0)
    })
    .collect()
}

fn sorted(report: &[Taken]) -> Vec<&Taken> {
    let mut sorted: Vec<_> = report.iter().collect();
    sorted.sort_by(|a, b| largest(b).total_cmp(&largest(a)).then_with(|| a.partition.cmp(&b.partition)));
    sorted
}

/// The table of `docs/benchmarks.md`.
fn table(report: &[Taken], took: Duration) -> String {
    let mut lines = vec![
        format!("{EXECUTIONS} executions in {:.0} s; the fullest partitions:", took.as_secs_f64()),
        String::new(),
        "| partition | write units | read units | of its part in this run | at 1,000/s | throttled requests |"
            .to_owned(),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for taken in sorted(report).into_iter().take(TOLD) {
        lines.push(format!(
            "| `{}` of {} | {:.0} | {:.0} | {:.0} % | {:.0} % | {} |",
            taken.partition.key,
            place(&taken.partition),
            taken.units.writes,
            taken.units.reads,
            taken.writes.max(taken.reads) * 100.0,
            largest(taken) * 100.0,
            taken.refused,
        ));
    }
    lines.join("\n")
}

fn line(report: &[Taken], (delivered, took): (Duration, Duration), repeats: u32) -> Value {
    let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
    let largest: Vec<Value> = sorted(report)
        .into_iter()
        .take(TOLD)
        .map(|taken| {
            let (writes, reads) = at_wanted(taken);
            json!({
                "partition": taken.partition.key, "of": place(&taken.partition), "refused": taken.refused,
                "share": round(taken.writes.max(taken.reads)), "at_wanted": round(writes.max(reads)),
            })
        })
        .collect();
    json!({
        "bench": "aws-load",
        "part": PART,
        "executions": EXECUTIONS,
        "delivered_s": round(delivered.as_secs_f64()),
        "completed_s": round(took.as_secs_f64()),
        "deliveries_repeated": repeats,
        "requests_throttled": report.iter().map(|taken| taken.refused).sum::<u32>(),
        "partitions": largest,
    })
}

#[cfg(test)]
mod tests {
    use super::super::capacity::Units;
    use super::super::partitions::Partition;
    use super::*;

    fn taken(key: &str, writes: f64, reads: f64) -> Taken {
        let partition = Partition::of("pawl-ExecutionsTable-1X", None, key);
        Taken { partition, units: Units { writes, reads }, writes: 0.1, reads: 0.2, refused: 3 }
    }

    #[test]
    fn a_partition_is_too_full_by_what_each_execution_takes_of_it() {
        let each = f64::from(EXECUTIONS);
        let report = [taken("a", each, 0.0), taken("b", 0.0, 3.1 * each), taken("c", 0.5 * each, 3.0 * each)];
        assert_eq!(over(&report), ["`b` of table executions at 103 %"]);
        let told = table(&report, Duration::from_mins(1));
        let first = told.lines().nth(4).expect("a row");
        assert_eq!(first, "| `b` of table executions | 0 | 1860 | 20 % | 103 % | 3 |");
        assert_eq!(line(&report, (Duration::ZERO, Duration::ZERO), 0)["requests_throttled"], 9);
    }
}
