//! `burst`: many records change at once while active workflows listen, of which three match.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, json};

use crate::process::{Server, quiet, settled};
use crate::spread::spread;
use crate::w5::round;

/// How many workflows are active.
const WORKFLOWS: [usize; 2] = [50, 1_000];
/// How many of them match each change.
const MATCHING: usize = 3;
/// Changes of a burst, each of another record.
const CHANGES: usize = 10_000;
/// How often each server has its turn. Later turns write heads and lists that are there, as an old installation does.
const ROUNDS: usize = 3;

/// A server, and what was measured of it.
struct Measured {
    server: Server,
    _folders: [tempfile::TempDir; 2],
    elapsed: Duration,
    cpu: Duration,
}

/// Runs it. The servers run side by side and have their turns one after the other, as those of `listeners`.
pub(crate) async fn run() -> anyhow::Result<()> {
    let mut measured = Vec::new();
    for workflows in WORKFLOWS {
        measured.push(start(workflows).await?);
    }
    for turn in 0..ROUNDS {
        for one in &mut measured {
            let (began, before) = (Instant::now(), one.server.cpu()?);
            let change = move |number| {
                let total = turn * CHANGES + number + 1;
                (
                    "PATCH",
                    format!("/v1/objects/item/records/item-{number}"),
                    json!({"fields": {"total": total}}).to_string(),
                )
            };
            spread(&one.server.host, 0..CHANGES, change).await?;
            settled(&one.server, "executions_completed", CHANGES * MATCHING * (turn + 1)).await?;
            one.elapsed += began.elapsed();
            one.cpu += one.server.cpu()?.saturating_sub(before);
        }
    }
    let changes = f64::from(u32::try_from(CHANGES * ROUNDS)?);
    let (mut evaluations, mut cpu, mut costs) = (Map::new(), Map::new(), Vec::new());
    for (workflows, one) in WORKFLOWS.iter().zip(measured) {
        evaluations.insert(workflows.to_string(), round(changes / one.elapsed.as_secs_f64()).into());
        cpu.insert(workflows.to_string(), round(one.cpu.as_secs_f64() * 1_000.0 / changes).into());
        costs.push(one.cpu.as_secs_f64());
        one.server.stop().await?;
    }
    let line = json!({
        "bench": "burst",
        "evaluations_per_s": evaluations,
        "cpu_ms_per_change": cpu,
        "cost_ratio": round(costs[1] / costs[0]),
    });
    println!("{line}");
    Ok(())
}

/// A server with so many workflows, and with the records.
async fn start(workflows: usize) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    std::fs::write(folder.path().join("item.object.yaml"), include_str!("item.object.yaml"))?;
    write(folder.path(), include_str!("burst.workflow.yaml"), 1..=MATCHING)?;
    write(folder.path(), include_str!("listener.workflow.yaml"), MATCHING + 1..=workflows)?;
    let server = Server::start(folder.path(), data.path()).await?;
    let create = |number: usize| {
        (
            "PUT",
            format!("/v1/objects/item/records/item-{number}"),
            json!({"fields": {"name": number.to_string()}}).to_string(),
        )
    };
    spread(&server.host, 0..CHANGES, create).await?;
    quiet(&server).await?;
    Ok(Measured { server, _folders: [folder, data], elapsed: Duration::ZERO, cpu: Duration::ZERO })
}

fn write(folder: &Path, text: &str, numbers: std::ops::RangeInclusive<usize>) -> anyhow::Result<()> {
    for number in numbers {
        let text = text.replace("NUMBER", &number.to_string());
        std::fs::write(folder.join(format!("workflow-{number}.workflow.yaml")), text)?;
    }
    Ok(())
}
