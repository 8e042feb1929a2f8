//! `w5`: POST a webhook → set variable → condition → HTTP call → set variable → set fields → completed.

use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;

use crate::http::Connection;
use crate::process::{Server, ended, percentile};

/// Executions at once under load.
const CONCURRENCY: usize = 32;
/// How long load is applied.
const LOAD: Duration = Duration::from_secs(10);
/// Executions one at a time.
const SINGLE: usize = 1_000;
/// Executions before anything is measured.
const WARM: usize = 500;

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let echo = crate::echo::start().await?;
    write_files(folder.path(), &echo)?;

    let server = Server::start(folder.path(), data.path()).await?;
    let mut connection = server.connect().await?;
    execute(&mut connection).await?;
    let startup = server.began.elapsed();
    for _ in 0..WARM {
        execute(&mut connection).await?;
    }
    let mut times = one_at_a_time(&mut connection).await?;
    times.sort();
    let before = server.cpu()?;
    let (count, elapsed) = under_load(&server, LOAD).await?;
    let cpu = server.cpu()?.saturating_sub(before);
    let rss = server.memory_mb("VmHWM")?;
    server.stop().await?;
    let fsyncs = count_fsyncs(folder.path()).await?;

    let count_f = f64::from(u32::try_from(count)?);
    println!(
        "{}",
        json!({
            "bench": "w5",
            "throughput_per_s": round(count_f / elapsed.as_secs_f64()),
            "p50_ms": round(percentile(&times, 0.50)),
            "p99_ms": round(percentile(&times, 0.99)),
            "cpu_ms_per_execution": round(cpu.as_secs_f64() * 1_000.0 / count_f),
            "fsyncs_per_execution": fsyncs,
            "rss_mb": round(rss),
            "startup_ms": round(startup.as_secs_f64() * 1_000.0),
        })
    );
    Ok(())
}

/// Two digits after the point.
pub(crate) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Writes the workflow and its object into a folder.
pub(crate) fn write_files(folder: &Path, echo: &str) -> anyhow::Result<()> {
    std::fs::write(folder.join("w5.workflow.yaml"), include_str!("w5.workflow.yaml").replace("ECHO", echo))?;
    std::fs::write(folder.join("item.object.yaml"), include_str!("item.object.yaml"))?;
    Ok(())
}

/// One execution on a record of its own, from POST to completed.
async fn execute(connection: &mut Connection) -> anyhow::Result<Duration> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let began = Instant::now();
    let body = format!(r#"{{"item":"item-{number}","amount":{number}}}"#);
    let (status, answer) = connection.send("POST", "/hooks/w5/in", &body).await?;
    let execution = answer
        .get("execution_id")
        .and_then(|id| id.as_str())
        .with_context(|| format!("expected 202, found {status}: {answer}"))?;
    let end = ended(connection, execution).await?;
    if end.get("status").and_then(|status| status.as_str()) != Some("completed") {
        bail!("expected a completed execution, found {end}");
    }
    Ok(began.elapsed())
}

async fn one_at_a_time(connection: &mut Connection) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(SINGLE);
    for _ in 0..SINGLE {
        times.push(execute(connection).await?);
    }
    Ok(times)
}

/// Executions that are not measured.
pub(crate) async fn warm_up(server: &Server) -> anyhow::Result<()> {
    let mut connection = server.connect().await?;
    for _ in 0..WARM {
        execute(&mut connection).await?;
    }
    Ok(())
}

/// Many at once for a while; how many ended, and in how long.
pub(crate) async fn under_load(server: &Server, load: Duration) -> anyhow::Result<(usize, Duration)> {
    let host = Rc::new(server.host.clone());
    let local = tokio::task::LocalSet::new();
    let began = Instant::now();
    let count = local
        .run_until(async move {
            let mut drivers = Vec::new();
            for _ in 0..CONCURRENCY {
                let host = host.clone();
                drivers.push(tokio::task::spawn_local(drive(host, began, load)));
            }
            let mut count = 0;
            for driver in drivers {
                count += driver.await??;
            }
            anyhow::Ok(count)
        })
        .await?;
    Ok((count, began.elapsed()))
}

async fn drive(host: Rc<String>, began: Instant, load: Duration) -> anyhow::Result<usize> {
    let mut connection = Connection::open(&host).await?;
    let mut count = 0;
    while began.elapsed() < load {
        execute(&mut connection).await?;
        count += 1;
    }
    Ok(count)
}

/// Fsyncs of one execution when run one at a time: of a fresh server with so many executions, less those of one with none.
async fn count_fsyncs(folder: &Path) -> anyhow::Result<f64> {
    let mut counts = Vec::new();
    for executions in [0, 200] {
        let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
        let server = Server::start(folder, data.path()).await?;
        let mut connection = server.connect().await?;
        for _ in 0..executions {
            execute(&mut connection).await?;
        }
        drop(connection);
        counts.push(server.stop().await?);
    }
    Ok(round(f64::from(u32::try_from(counts[1].saturating_sub(counts[0]))?) / 200.0))
}
