//! `dates`: many records with a date that is far ahead, and many whose date is the same minute.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;

use crate::process::{Server, quiet, settled};
use crate::spread::{Request, spread};
use crate::w5::round;

/// Says how many records have a date that is far ahead.
const VARIABLE: &str = "PAWL_BENCH_DATES";
/// How many have one if it does not.
const FAR: usize = 100_000;
/// Records that are due in one minute.
const DUE: usize = 10_000;
/// How long idle processor time is measured: the sweeper looks for what is due every half minute.
const IDLE: Duration = Duration::from_mins(1);
/// How far ahead the common minute lies at least when its records are made.
const AHEAD: Duration = Duration::from_secs(45);
/// The first of the dates that are far ahead, which are a minute apart; in seconds since 1970. It is in 2040.
const FAR_AHEAD_S: i64 = 2_208_988_800;

/// Runs it.
pub(crate) async fn run() -> anyhow::Result<()> {
    let far = std::env::var(VARIABLE).ok().map(|text| text.parse()).transpose().context(VARIABLE)?.unwrap_or(FAR);
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    std::fs::write(folder.path().join("due.workflow.yaml"), include_str!("due.workflow.yaml"))?;
    std::fs::write(folder.path().join("visit.object.yaml"), include_str!("visit.object.yaml"))?;
    let server = Server::start(folder.path(), data.path()).await?;

    spread(&server.host, 0..far, |number| visit(number, far_ahead(number))).await?;
    quiet(&server).await?;
    let before = server.cpu()?;
    tokio::time::sleep(IDLE).await;
    let idle = server.cpu()?.saturating_sub(before).as_secs_f64() / IDLE.as_secs_f64() * 100.0;

    let (now, clock) = (Timestamp::now(), Instant::now());
    let at = Timestamp::from_second(((now + AHEAD).as_second() / 60 + 1) * 60)?;
    let due = clock + Duration::try_from(at.duration_since(now))?;
    spread(&server.host, far..far + DUE, move |number| visit(number, at)).await?;
    quiet(&server).await?;
    if Instant::now() > due {
        bail!("making {DUE} records took longer than {} s: not all were due at once", AHEAD.as_secs());
    }
    tokio::time::sleep_until(due.into()).await;
    settled(&server, "executions_completed", DUE).await?;
    let fired = due.elapsed();
    let line = json!({
        "bench": "dates",
        "records": far,
        "fire_s": round(fired.as_secs_f64()),
        "idle_cpu_pct": round(idle),
        "rss_mb": server.memory_mb("VmHWM")?.round(),
    });
    server.stop().await?;
    println!("{line}");
    Ok(())
}

/// A record with a date.
fn visit(number: usize, at: Timestamp) -> Request {
    let body = json!({"fields": {"at": at.to_string()}}).to_string();
    ("PUT", format!("/v1/objects/visit/records/visit-{number}"), body)
}

fn far_ahead(number: usize) -> Timestamp {
    let minutes = i64::try_from(number).unwrap_or_default();
    Timestamp::from_second(FAR_AHEAD_S + minutes * 60).unwrap_or(Timestamp::MAX)
}
