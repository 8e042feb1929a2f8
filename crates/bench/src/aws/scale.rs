//! `aws-scale`: to what share of its limit each partition, quota and function of AWS comes at 100, 1,000 and 10,000 executions
//! a second, from the requests of some executions as counted on the emulator. It fails if one is exceeded at 1,000.

use std::fmt::Write;
use std::time::Duration;

use anyhow::bail;
use serde_json::json;

use super::capacity::Tables;
use super::proxy::Call;
use super::shares::{Counted, Share, shares};
use super::stack::FUNCTIONS;
use super::used::billed;
use super::w5::{Watched, millis};

/// Executions before anything is counted.
const WARM: u32 = 10;
/// Executions that are counted.
const COUNTED: u32 = 40;
/// How long nothing may be asked for before all is done: longer than a wait of the workload, and than it takes until a stream
/// is read.
const QUIET: Duration = Duration::from_secs(4);

/// Executions a second.
const RATES: [f64; 3] = [100.0, 1_000.0, 10_000.0];
/// The rate at which nothing may exceed its limit.
const WANTED: f64 = 1_000.0;
/// Below this share at the wanted rate something is not told to people.
const TOLD: f64 = 0.05;

/// What is executed.
struct Workload {
    name: &'static str,
    /// Webhook that starts it.
    hook: &'static str,
    /// Body of the delivery with a number.
    body: fn(u32) -> String,
}

const WORKLOADS: [Workload; 4] = [
    Workload {
        name: "w5",
        hook: "/hooks/w5/in",
        body: |number| format!(r#"{{"item":"scale-{number}","amount":{number}}}"#),
    },
    Workload {
        name: "w5 with a limit of 1,000 starts a second, and of 1,000 at once",
        hook: "/hooks/w5-limited/in",
        body: |number| format!(r#"{{"item":"limited-{number}","amount":{number}}}"#),
    },
    Workload {
        name: "one wait of a second, begun and ended",
        hook: "/hooks/sleeper/in",
        body: |_| r#"{"until":"1s"}"#.to_owned(),
    },
    Workload {
        name: "one wait of an hour, begun",
        hook: "/hooks/sleeper/in",
        body: |_| r#"{"until":"1h"}"#.to_owned(),
    },
];

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let watched = Watched::start().await?;
    watched.stack.call("POST", "/v1/workflows", include_str!("../sleeper.workflow.yaml")).await?;
    let mut tables = Tables::default();
    let mut exceeded = Vec::new();
    for workload in &WORKLOADS {
        let counted = count(&watched, workload, &mut tables).await?;
        let shares = shares(&counted);
        println!("{}", line(workload.name, &shares));
        eprintln!("{}", table(workload.name, &shares));
        exceeded.extend(over(workload.name, &shares));
    }
    if !exceeded.is_empty() {
        bail!("exceeded at {WANTED} executions a second: {}", exceeded.join("; "));
    }
    Ok(())
}

/// Executes a workload until all is quiet, and counts it.
async fn count(watched: &Watched, workload: &Workload, tables: &mut Tables) -> anyhow::Result<Counted> {
    for number in 0..WARM {
        watched.stack.call("POST", workload.hook, &(workload.body)(number)).await?;
    }
    for call in watched.settle(QUIET).await.iter().filter(|call| call.status == 200) {
        tables.count(&call.operation, &call.request, &call.answer);
    }
    tables.partitions();
    let since = millis()?;
    for number in WARM..WARM + COUNTED {
        // One after the other, so that no invocation is shared: the dearest case.
        watched.stack.call("POST", workload.hook, &(workload.body)(number)).await?;
        watched.settled(Duration::from_millis(150)).await;
    }
    let calls = watched.settle(QUIET).await;
    let mut counted = Counted { executions: COUNTED.into(), requests: COUNTED.into(), ..Counted::default() };
    let of_executions = |call: &&Call| call.function != "sweeper" && call.function != "api";
    for call in calls.iter().filter(of_executions) {
        add(call, tables, &mut counted);
    }
    counted.partitions = tables.partitions();
    for function in FUNCTIONS.iter().filter(|name| **name != "sweeper" && **name != "api") {
        let invoked = counted.functions.entry((*function).to_owned()).or_default();
        for line in watched.stack.log(function, since).await? {
            let Some(milliseconds) = billed(&line) else { continue };
            invoked.times += 1.0;
            invoked.seconds += milliseconds / 1000.0;
        }
    }
    Ok(counted)
}

fn add(call: &Call, tables: &mut Tables, counted: &mut Counted) {
    if call.status == 200 {
        tables.count(&call.operation, &call.request, &call.answer);
    }
    match (call.service.as_str(), call.operation.as_str()) {
        ("scheduler", "POST") => counted.schedules += 1.0,
        ("sqs", "SendMessage" | "SendMessageBatch") => {
            let url = call.request["QueueUrl"].as_str().unwrap_or_default();
            let queue = url.rsplit('/').next().unwrap_or_default();
            let taken_by = if queue.ends_with("events") { "trigger-evaluator" } else { "step-executor" };
            counted.queues.insert(queue.to_owned(), taken_by.to_owned());
        }
        _ => {}
    }
}

fn line(workload: &str, shares: &[Share]) -> String {
    let shares = shares.iter().map(|share| {
        json!({
            "what": share.what,
            "unit": share.unit,
            "each": round(share.each),
            "limit": share.limit,
            "shares": RATES.map(|rate| round(share.at(rate))),
        })
    });
    json!({
        "bench": "aws-scale",
        "workload": workload,
        "executions_per_s": RATES,
        "limits": shares.collect::<Vec<_>>(),
    })
    .to_string()
}

/// The table of `docs/benchmarks.md`.
fn table(workload: &str, shares: &[Share]) -> String {
    let mut text = format!("\n{workload}:\n\n| what | each execution takes | of | 100/s | 1,000/s | 10,000/s |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for share in shares.iter().filter(|share| share.at(WANTED) >= TOLD) {
        let [few, wanted, many] = RATES.map(|rate| format!("{:.1} %", share.at(rate) * 100.0));
        let Share { what, unit, each, limit } = share;
        // Writing to a string cannot fail.
        let limit = thousands(*limit);
        let _ = writeln!(text, "| {what} | {each:.3} | {limit} {unit} | {few} | {wanted} | {many} |");
    }
    text
}

/// A whole number below a million as people write it.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    match digits.len() {
        4..=6 => format!("{},{}", &digits[..digits.len() - 3], &digits[digits.len() - 3..]),
        _ => digits,
    }
}

/// What is exceeded at the wanted rate.
fn over(workload: &str, shares: &[Share]) -> Vec<String> {
    let exceeded = shares.iter().filter(|share| share.at(WANTED) > 1.0);
    exceeded
        .map(|share| format!("{workload}: {}, {} at {:.0} %", share.what, share.unit, share.at(WANTED) * 100.0))
        .collect()
}

fn round(value: f64) -> f64 {
    (value * 1_000_000.0).round() / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(what: &str, each: f64) -> Share {
        Share { what: what.to_owned(), each, limit: 1_000.0, unit: "write units a second" }
    }

    #[test]
    fn what_is_exceeded_at_a_thousand_is_told_and_what_is_just_reached_is_not() {
        let found = over("w5", &[share("a", 1.0), share("b", 1.2), share("c", 0.1)]);
        assert_eq!(found, ["w5: b, write units a second at 120 %"]);
    }

    #[test]
    fn people_are_told_what_comes_to_a_twentieth_of_its_limit() {
        let told = table("w5", &[share("a", 0.125), share("b", 0.049)]);
        let rows: Vec<_> = told.lines().filter(|line| line.starts_with("| a") || line.starts_with("| b")).collect();
        assert_eq!(rows, ["| a | 0.125 | 1,000 write units a second | 1.2 % | 12.5 % | 125.0 % |"]);
        let line: serde_json::Value = serde_json::from_str(&line("w5", &[share("b", 0.009)])).expect("it is JSON");
        assert_eq!(line["limits"][0]["shares"], json!([0.0009, 0.009, 0.09]), "programs are told all");
    }
}
