//! The system under test as a process, and what the kernel knows of it.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::http::Connection;

/// Between two looks at whether the server is quiet.
const LOOK: Duration = Duration::from_millis(400);
/// Looks that must find it so, one after the other: a queue that is busy rests at times.
const QUIET_LOOKS: usize = 5;

/// A running `pawl dev`.
pub(crate) struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// `host:port`.
    pub(crate) host: String,
    /// When it was started.
    pub(crate) began: Instant,
}

impl Server {
    /// Starts the release binary that stands beside this one on a folder of workflows.
    pub(crate) async fn start(folder: &Path, data: &Path) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("pawl");
        let began = Instant::now();
        let mut child = Command::new(&binary)
            .args(["--log", "warn", "dev", "--port", "0", "--allow", "127.0.0.1", "--data"])
            .arg(data)
            .arg(folder)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdout = child.stdout.take().context("the server's output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let host = loop {
            let line = lines.next_line().await?.context("the server ended before it was ready")?;
            if let Some(host) = line.strip_prefix("ready on http://") {
                break host.to_owned();
            }
        };
        Ok(Self { child, lines, host, began })
    }

    fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server runs")
    }

    /// A connection to it.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(&self.host).await
    }

    /// Processor time that it used so far, in user and kernel.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()?))?;
        let (_, fields) = stat.rsplit_once(')').context("expected the process's name in brackets")?;
        let ticks: u64 =
            fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
        // Linux counts in hundredths of a second on every platform that matters here (USER_HZ).
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Memory now (`VmRSS`) or at its peak (`VmHWM`), in MiB.
    pub(crate) fn memory_mb(&self, field: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
            .context("expected the field")?;
        let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(f64::from(kib) / 1024.0)
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Interrupts it, and reads how often it made data durable.
    pub(crate) async fn stop(mut self) -> anyhow::Result<u64> {
        let status = Command::new("kill").args(["-INT", &self.id()?.to_string()]).status().await?;
        if !status.success() {
            bail!("cannot interrupt the server");
        }
        let mut fsyncs = 0;
        while let Some(line) = self.lines.next_line().await? {
            if let Some(count) = line.strip_prefix("stopped after fsyncs=") {
                fsyncs = count.trim().parse()?;
            }
        }
        self.child.wait().await?;
        Ok(fsyncs)
    }
}

/// Waits until an execution has ended.
pub(crate) async fn ended(connection: &mut Connection, execution: &str) -> anyhow::Result<Value> {
    let (status, body) = connection.send("GET", &format!("/v1/executions/{execution}?wait_s=30&limit=1"), "").await?;
    if status != 200 {
        bail!("expected the execution's end, found {status}: {body}");
    }
    Ok(body)
}

/// Waits until a counter of the server has come so far.
pub(crate) async fn settled(server: &Server, counter: &str, count: usize) -> anyhow::Result<()> {
    let mut connection = server.connect().await?;
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(5) {
        let (code, answer) = connection.send("GET", "/v1/metrics", "").await?;
        if code != 200 {
            bail!("expected counters, found {code}: {answer}");
        }
        if answer.get(counter).and_then(Value::as_u64) >= Some(u64::try_from(count)?) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("expected {counter} to come to {count} within 300 s")
}

/// Waits until the server uses next to no processor time: what its requests led to is done.
pub(crate) async fn quiet(server: &Server) -> anyhow::Result<()> {
    let mut quiet_looks = 0;
    while quiet_looks < QUIET_LOOKS {
        let before = server.cpu()?;
        tokio::time::sleep(LOOK).await;
        let is_quiet = server.cpu()?.saturating_sub(before) <= LOOK / 20;
        quiet_looks = if is_quiet { quiet_looks + 1 } else { 0 };
    }
    Ok(())
}

/// The value below which a share of the sorted values lies.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a list"
    )]
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len()) - 1;
    sorted[index].as_secs_f64() * 1_000.0
}
