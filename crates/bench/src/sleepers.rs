//! `sleepers`: executions that wait, and executions that all wake at once.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::json;

use crate::process::{Server, settled};
use crate::spread::spread;

/// Executions in a one-hour delay.
const ASLEEP: usize = 100_000;
/// Executions that are due at once.
const AT_ONCE: usize = 5_000;
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

    let start = |body: String| move |_| ("POST", "/hooks/sleeper/in".to_owned(), body.clone());
    spread(&server.host, 0..ASLEEP, start(r#"{"until": "1h"}"#.to_owned())).await?;
    settled(&server, "waits_begun", ASLEEP).await?;
    let rss = server.memory_mb("VmRSS")?;
    let before = server.cpu()?;
    tokio::time::sleep(IDLE).await;
    let idle = server.cpu()?.saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0;

    let due = std::time::SystemTime::now() + AHEAD;
    let at = due.duration_since(std::time::UNIX_EPOCH)?.as_secs();
    spread(&server.host, 0..AT_ONCE, start(format!(r#"{{"at": {at}}}"#))).await?;
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
