//! `aws-latency`: from the answer 202 to the commit that ends an execution of `w5`, and how many requests to AWS follow
//! one another on the way: on AWS each takes its few milliseconds, whatever the emulator takes.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;

use super::proxy::Call;
use super::w5::{Ran, Watched};
use crate::process::percentile;

/// Executions before anything is measured.
const WARM: usize = 10;
/// Executions, one at a time.
const MEASURED: usize = 60;
/// How long nothing may be asked for before the next one: changes of records are looked at later.
const QUIET: Duration = Duration::from_millis(700);

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let w5 = Watched::start().await?;
    for _ in 0..WARM {
        w5.run().await?;
    }
    w5.settle(QUIET).await;
    let mut times = Vec::with_capacity(MEASURED);
    let mut trips = Vec::with_capacity(MEASURED);
    for _ in 0..MEASURED {
        let ran = w5.run().await?;
        let calls = w5.settle(QUIET).await;
        let end = ended(&calls).context("an execution ends with a commit")?;
        times.push(end.saturating_duration_since(ran.accepted));
        trips.push(round_trips(&calls, &ran, end));
    }
    times.sort();
    trips.sort_unstable();
    if times[0] == Duration::ZERO {
        bail!("expected executions that end after they are accepted");
    }
    println!(
        "{}",
        json!({
            "bench": "aws-latency",
            "p50_ms": (percentile(&times, 0.5) * 100.0).round() / 100.0,
            "p99_ms": (percentile(&times, 0.99) * 100.0).round() / 100.0,
            "round_trips": trips[trips.len() / 2],
            "handovers": 2,
        })
    );
    Ok(())
}

/// When the last commit of the step executor was answered.
fn ended(calls: &[Call]) -> Option<Instant> {
    let commits =
        calls.iter().filter(|call| call.function == "step-executor" && call.operation == "TransactWriteItems");
    commits.map(|call| call.end).max()
}

/// How many requests follow one another between the webhook and the end: of those that overlap only one counts.
fn round_trips(calls: &[Call], ran: &Ran, end: Instant) -> usize {
    let began = calls.iter().filter(|call| call.function == "step-executor").map(|call| call.begin).min();
    let on_the_way = |call: &&Call| match call.function {
        "webhook-ingress" | "step-executor" => true,
        // What it does later, it does for changes of records.
        "trigger-evaluator" => began.is_some_and(|began| call.begin < began),
        _ => false,
    };
    let mut spans: Vec<(Instant, Instant)> =
        calls.iter().filter(on_the_way).map(|call| (call.end, call.begin)).collect();
    spans.sort();
    let mut last = ran.posted;
    let mut count = 0;
    for (finished, began) in spans {
        if began >= last && finished <= end {
            count += 1;
            last = finished;
        }
    }
    count
}
