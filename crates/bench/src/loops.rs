//! `loop`: a webhook with a thousand items starts a loop over them, of two pure steps or of one HTTP call each.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use serde_json::{Map, Value, json};

use crate::http::Connection;
use crate::process::{Server, ended};
use crate::w5::round;

/// Items of a loop.
const ITEMS: u32 = 1_000;
/// Loops one after the other that are measured.
const LOOPS: u32 = 10;

/// A workflow with a loop.
struct Kind {
    /// Its key in the line, and the end of its name.
    key: &'static str,
    concurrency: u32,
    steps: &'static str,
}

const PURE: &str = "      - {id: one, type: set_variables, values: {total: '{{ item.n * 2 }}'}}
      - {id: two, type: set_variables, values: {more: '{{ vars.total + 1 }}'}}";
const HTTP: &str =
    "      - {id: call, type: http_request, method: POST, url: 'http://ECHO/items', body: {n: '{{ item.n }}'}}";

const KINDS: [Kind; 4] = [
    Kind { key: "pure-1", concurrency: 1, steps: PURE },
    Kind { key: "pure-16", concurrency: 16, steps: PURE },
    Kind { key: "http-1", concurrency: 1, steps: HTTP },
    Kind { key: "http-16", concurrency: 16, steps: HTTP },
];

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let echo = crate::echo::start().await?;
    write_files(folder.path(), &echo)?;
    let server = Server::start(folder.path(), data.path()).await?;
    let mut connection = server.connect().await?;
    let (mut items_per_s, mut cpu_ms) = (Map::new(), Map::new());
    for kind in &KINDS {
        execute(&mut connection, kind, ITEMS).await?;
        let (before, began) = (server.cpu()?, std::time::Instant::now());
        for _ in 0..LOOPS {
            execute(&mut connection, kind, ITEMS).await?;
        }
        let (elapsed, cpu) = (began.elapsed(), server.cpu()?.saturating_sub(before));
        let items = f64::from(ITEMS * LOOPS);
        items_per_s.insert(kind.key.to_owned(), json!(round(items / elapsed.as_secs_f64())));
        cpu_ms.insert(kind.key.to_owned(), json!(round(cpu.as_secs_f64() * 1_000.0 / items)));
    }
    let rss = server.memory_mb("VmHWM")?;
    drop(connection);
    server.stop().await?;
    let mut fsyncs = Map::new();
    for kind in KINDS.iter().filter(|kind| kind.concurrency == 1) {
        fsyncs.insert(kind.key.to_owned(), count_fsyncs(folder.path(), kind).await?);
    }
    let line = json!({
        "bench": "loop",
        "items_per_s": items_per_s,
        "cpu_ms_per_item": cpu_ms,
        "fsyncs_per_item": fsyncs,
        "rss_mb": round(rss),
    });
    println!("{line}");
    Ok(())
}

fn write_files(folder: &Path, echo: &str) -> anyhow::Result<()> {
    for Kind { key, concurrency, steps } in &KINDS {
        let text = include_str!("loop.workflow.yaml")
            .replace("NAME", key)
            .replace("CONCURRENCY", &concurrency.to_string())
            .replace("STEPS", steps)
            .replace("ECHO", echo);
        std::fs::write(folder.join(format!("loop-{key}.workflow.yaml")), text)?;
    }
    Ok(())
}

/// One loop, from POST to completed.
async fn execute(connection: &mut Connection, kind: &Kind, count: u32) -> anyhow::Result<()> {
    let items: Vec<Value> = (0..count).map(|n| json!({"n": n, "text": "an item of a list"})).collect();
    let path = format!("/hooks/loop-{}/in", kind.key);
    let (status, answer) = connection.send("POST", &path, &json!({"items": items}).to_string()).await?;
    let Some(execution) = answer.get("execution_id").and_then(Value::as_str) else {
        bail!("expected 202, found {status}: {answer}");
    };
    let end = loop {
        let end = ended(connection, execution).await?;
        if end["status"] != "running" && end["status"] != "waiting" && end["status"] != "queued" {
            break end;
        }
    };
    if end["status"] != "completed" {
        bail!("expected a completed execution, found {end}");
    }
    Ok(())
}

/// Fsyncs of one item: of a fresh server with one loop, less those of one with none.
async fn count_fsyncs(folder: &Path, kind: &Kind) -> anyhow::Result<Value> {
    let mut counts = Vec::new();
    for loops in [0, 1] {
        let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
        let server = Server::start(folder, data.path()).await?;
        let mut connection = server.connect().await?;
        for _ in 0..loops {
            execute(&mut connection, kind, ITEMS).await?;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(connection);
        counts.push(server.stop().await?);
    }
    let more = u32::try_from(counts[1].saturating_sub(counts[0]))?;
    Ok(json!((f64::from(more) * 1_000.0 / f64::from(ITEMS)).round() / 1_000.0))
}
