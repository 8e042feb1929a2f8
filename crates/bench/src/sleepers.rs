//! `sleepers`: executions that wait, and executions that all wake at once.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::json;

use crate::http::Connection;
use crate::process::Server;

/// Executions in a one-hour delay.
const ASLEEP: usize = 100_000;
/// Executions that are due at once.
const AT_ONCE: usize = 5_000;
/// Connections that start them.
const CONNECTIONS: usize = 32;
/// How long idle processor time is measured.
const IDLE: Duration = Duration::from_secs(10);
/// How far ahead the common time lies when the starting begins.
const AHEAD: Duration = Duration::from_secs(20);

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    std::fs::write(folder.path().join("sleeper.workflow.yaml"), include_str!("sleeper.workflow.yaml"))?;
    let server = Server::start(folder.path(), data.path()).await?;

    start_many(&server.host, ASLEEP, r#"{"until": "1h"}"#).await?;
    settled(&server, "waits_begun", ASLEEP).await?;
    let rss = server.memory_mb("VmRSS")?;
    let before = server.cpu()?;
    tokio::time::sleep(IDLE).await;
    let idle = server.cpu()?.saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0;

    let due = std::time::SystemTime::now() + AHEAD;
    let at = due.duration_since(std::time::UNIX_EPOCH)?.as_secs();
    start_many(&server.host, AT_ONCE, &format!(r#"{{"at": {at}}}"#)).await?;
    let due = Instant::now()
        + Duration::from_secs(at).saturating_sub(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?);
    if Instant::now() > due {
        bail!("starting took longer than {} s: nothing was due at once", AHEAD.as_secs());
    }
    tokio::time::sleep_until(due.into()).await;
    settled(&server, "executions_completed", AT_ONCE).await?;
    let wake = due.elapsed();
    server.stop().await?;
    println!(
        "{}",
        json!({
            "bench": "sleepers",
            "rss_mb": rss.round(),
            "idle_cpu_pct": (idle * 100.0).round() / 100.0,
            "wake_s": (wake.as_secs_f64() * 1_000.0).round() / 1_000.0,
        })
    );
    Ok(())
}

/// Starts so many executions over several connections.
async fn start_many(host: &str, count: usize, body: &str) -> anyhow::Result<()> {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async move {
            let mut drivers = Vec::new();
            for driver in 0..CONNECTIONS {
                let share = count / CONNECTIONS + usize::from(driver < count % CONNECTIONS);
                let (host, body) = (host.to_owned(), body.to_owned());
                drivers.push(tokio::task::spawn_local(async move {
                    let mut connection = Connection::open(&host).await?;
                    for _ in 0..share {
                        let (status, answer) = connection.send("POST", "/hooks/sleeper/in", &body).await?;
                        if status != 202 {
                            bail!("expected 202, found {status}: {answer}");
                        }
                    }
                    Ok(())
                }));
            }
            for driver in drivers {
                driver.await??;
            }
            anyhow::Ok(())
        })
        .await
}

/// Waits until a counter of the server has come so far.
async fn settled(server: &Server, counter: &str, count: usize) -> anyhow::Result<()> {
    let mut connection = server.connect().await?;
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(5) {
        let (code, answer) = connection.send("GET", "/v1/metrics", "").await?;
        if code != 200 {
            bail!("expected counters, found {code}: {answer}");
        }
        if answer.get(counter).and_then(serde_json::Value::as_u64) >= Some(u64::try_from(count)?) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("expected {counter} to come to {count} within 300 s")
}
