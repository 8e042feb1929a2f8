//! `listeners`: `w5` while other active workflows listen to its record type and never match.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::process::Server;
use crate::w5;

/// How many other workflows listen.
const LISTENERS: [usize; 3] = [0, 50, 1_000];
/// How often each server has its turn.
const ROUNDS: usize = 4;
/// How long load is applied in one turn.
const TURN: Duration = Duration::from_secs(5);

/// A server, and what was measured of it.
struct Measured {
    server: Server,
    _folders: [tempfile::TempDir; 2],
    executions: usize,
    elapsed: Duration,
    cpu: Duration,
}

/// Runs it. The servers run side by side and have their turns one after the other, so that what else the machine does
/// meets all of them.
pub(crate) async fn run() -> anyhow::Result<()> {
    let echo = crate::echo::start().await?;
    let mut measured = Vec::new();
    for listeners in LISTENERS {
        measured.push(start(&echo, listeners).await?);
    }
    for _ in 0..ROUNDS {
        for one in &mut measured {
            let before = one.server.cpu()?;
            let (executions, elapsed) = w5::under_load(&one.server, TURN).await?;
            one.cpu += one.server.cpu()?.saturating_sub(before);
            one.executions += executions;
            one.elapsed += elapsed;
        }
    }
    let (mut throughput, mut cpu) = (Map::new(), Map::new());
    for (listeners, one) in LISTENERS.iter().zip(measured) {
        let executions = f64::from(u32::try_from(one.executions)?);
        throughput.insert(listeners.to_string(), rounded(executions / one.elapsed.as_secs_f64()));
        cpu.insert(listeners.to_string(), rounded(one.cpu.as_secs_f64() * 1_000.0 / executions));
        one.server.stop().await?;
    }
    println!("{}", json!({"bench": "listeners", "throughput_per_s": throughput, "cpu_ms_per_execution": cpu}));
    Ok(())
}

fn rounded(value: f64) -> Value {
    w5::round(value).into()
}

async fn start(echo: &str, listeners: usize) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let data = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    w5::write_files(folder.path(), echo)?;
    for number in 1..=listeners {
        let text = include_str!("listener.workflow.yaml").replace("NUMBER", &number.to_string());
        std::fs::write(folder.path().join(format!("listener-{number}.workflow.yaml")), text)?;
    }
    let server = Server::start(folder.path(), data.path()).await?;
    w5::warm_up(&server).await?;
    let (executions, elapsed, cpu) = (0, Duration::ZERO, Duration::ZERO);
    Ok(Measured { server, _folders: [folder, data], executions, elapsed, cpu })
}
