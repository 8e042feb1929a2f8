//! `bulk`: one action starts the workflow of `w5` on ten thousand records; and once more, while the process is killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::http::Connection;
use crate::process::Server;
use crate::w5::{round, write_files};

/// Records.
const RECORDS: usize = 10_000;
/// Kills of the second run, which strike at equal shares of the starts.
const KILLS: usize = 3;
/// Between two looks at the action.
const LOOK: Duration = Duration::from_millis(50);

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let echo = crate::echo::start().await?;
    write_files(folder.path(), &echo)?;
    let quiet = starts(folder.path(), 0).await?;
    let killed = starts(folder.path(), KILLS).await?;
    let count = f64::from(u32::try_from(RECORDS)?);
    let line = json!({
        "bench": "bulk",
        "starts_per_s": round(count / quiet.started.as_secs_f64()),
        "ended_per_s": round(count / quiet.ended.as_secs_f64()),
        "cpu_ms_per_execution": round(quiet.cpu.as_secs_f64() * 1_000.0 / count),
        "kills": KILLS,
        "lost": quiet.lost + killed.lost,
        "doubled": quiet.doubled + killed.doubled,
    });
    println!("{line}");
    Ok(())
}

/// What came of one action.
struct Came {
    /// From the request until the last start.
    started: Duration,
    /// From the request until the last execution had ended.
    ended: Duration,
    cpu: Duration,
    /// Records without an execution that completed.
    lost: usize,
    /// Executions beyond the first of a record.
    doubled: usize,
}

async fn starts(folder: &std::path::Path, kills: usize) -> anyhow::Result<Came> {
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let mut server = Server::start(folder, data.path()).await?;
    let mut connection = server.connect().await?;
    for number in 0..RECORDS {
        let (path, body) = (format!("/v1/objects/item/records/item-{number}"), json!({"fields": {"total": number}}));
        let (status, answer) = connection.send("PUT", &path, &body.to_string()).await?;
        if status >= 300 {
            bail!("expected a record, found {status}: {answer}");
        }
    }
    let records: Vec<_> = (0..RECORDS).map(|number| format!("item-{number}")).collect();
    let asked = json!({"records": records, "rate": 1_000, "concurrency": 50});
    let (before, began) = (server.cpu()?, Instant::now());
    let (status, answer) = connection.send("POST", "/v1/workflows/w5/starts", &asked.to_string()).await?;
    let path = answer["id"].as_str().map(|id| format!("/v1/operations/{id}"));
    let path = path.with_context(|| format!("expected an action, found {status}: {answer}"))?;
    for kill in 1..=kills {
        reaches(&mut connection, &path, RECORDS * kill / (kills + 1)).await?;
        server.kill().await?;
        server = Server::start(folder, data.path()).await?;
        connection = server.connect().await?;
    }
    reaches(&mut connection, &path, RECORDS).await?;
    let started = began.elapsed();
    let executions = loop {
        let executions = listed(&mut connection).await?;
        if executions.iter().all(|one| one["status"] == "completed") {
            break executions;
        }
        tokio::time::sleep(LOOK).await;
    };
    let (ended, cpu) = (began.elapsed(), server.cpu()?.saturating_sub(before));
    server.stop().await?;
    let mut of_record: BTreeMap<String, usize> = BTreeMap::new();
    for execution in &executions {
        *of_record.entry(execution["record"].to_string()).or_default() += 1;
    }
    let (lost, doubled) = (RECORDS.saturating_sub(of_record.len()), executions.len() - of_record.len());
    Ok(Came { started, ended, cpu, lost, doubled })
}

/// Waits until the action has started so many, or is over.
async fn reaches(connection: &mut Connection, path: &str, count: usize) -> anyhow::Result<()> {
    loop {
        let (_, operation) = connection.send("GET", path, "").await?;
        match operation["state"].as_str() {
            Some("running") if operation["executions"].as_u64() < Some(u64::try_from(count)?) => {}
            Some("running" | "completed") => return Ok(()),
            _ => bail!("expected an action that goes on, found {operation}"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// All executions.
async fn listed(connection: &mut Connection) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = connection.send("GET", &format!("/v1/executions?workflow=w5&limit=200{cursor}"), "").await?;
        all.extend(page["items"].as_array().context("expected a listing")?.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}
