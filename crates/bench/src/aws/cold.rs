//! `cold`: how long each function takes from exec to its first request to the runtime API, and how large it is.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::Command;

use super::stack::FUNCTIONS;
use crate::process::percentile;

/// Starts of each function.
const STARTS: usize = 40;

/// What every function may ask for.
const ENVIRONMENT: [(&str, &str); 28] = [
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "none"),
    ("AWS_SECRET_ACCESS_KEY", "none"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("PAWL_INSTALLATION", "bench"),
    ("PAWL_WORKFLOWS_TABLE", "workflows"),
    ("PAWL_EXECUTIONS_TABLE", "executions"),
    ("PAWL_RECORDS_TABLE", "records"),
    ("PAWL_KEYS_TABLE", "idempotency"),
    ("PAWL_EVENTS_QUEUE_URL", "http://localhost/events"),
    ("PAWL_JOBS_QUEUE_URL", "http://localhost/jobs"),
    ("PAWL_JOBS_HIGH_QUEUE_URL", "http://localhost/jobs-high"),
    ("PAWL_JOBS_SLOW_QUEUE_URL", "http://localhost/jobs-slow"),
    ("PAWL_EVENTS_QUEUE_ARN", "arn:aws:sqs:us-east-1:1:events"),
    ("PAWL_JOBS_QUEUE_ARN", "arn:aws:sqs:us-east-1:1:jobs"),
    ("PAWL_JOBS_HIGH_QUEUE_ARN", "arn:aws:sqs:us-east-1:1:jobs-high"),
    ("PAWL_JOBS_SLOW_QUEUE_ARN", "arn:aws:sqs:us-east-1:1:jobs-slow"),
    ("PAWL_EVENTS_DLQ_URL", "http://localhost/events-dead"),
    ("PAWL_JOBS_DLQ_URL", "http://localhost/jobs-dead"),
    ("PAWL_JOBS_HIGH_DLQ_URL", "http://localhost/jobs-high-dead"),
    ("PAWL_JOBS_SLOW_DLQ_URL", "http://localhost/jobs-slow-dead"),
    ("PAWL_BLOBS_BUCKET", "blobs"),
    ("PAWL_SECRETS_PREFIX", "pawl/"),
    ("PAWL_SCHEDULE_GROUP", "pawl"),
    ("PAWL_SCHEDULE_ROLE_ARN", "arn:aws:iam::1:role/schedules"),
    ("PAWL_UNDELIVERED_QUEUE_ARN", "arn:aws:sqs:us-east-1:1:undelivered"),
];

/// Runs it; the packages stand in a folder beside the binaries.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = std::env::current_exe()?.parent().context("a binary stands in a folder")?.to_owned();
    for function in FUNCTIONS {
        let mut times = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            times.push(start(&folder.join(function)).await?);
        }
        times.sort();
        let package = folder.join("packages").join(format!("{function}.zip"));
        let bytes = std::fs::metadata(&package).with_context(|| format!("expected {}", package.display()))?.len();
        println!(
            "{}",
            json!({
                "bench": "cold",
                "function": function,
                "init_ms_p50": (percentile(&times, 0.5) * 100.0).round() / 100.0,
                "zip_mb": (f64::from(u32::try_from(bytes)?) / 1e4).round() / 100.0,
            })
        );
    }
    Ok(())
}

/// Starts a binary beside a runtime API that only waits for its first request.
async fn start(binary: &Path) -> anyhow::Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let api = listener.local_addr()?.to_string();
    let mut command = Command::new(binary);
    command.env_clear().envs(ENVIRONMENT).env("PAWL_AUTHORIZER", "iam").env("AWS_LAMBDA_RUNTIME_API", api);
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let began = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
    let asked = async {
        let (mut stream, _) = listener.accept().await?;
        let mut first = [0; 64];
        stream.read_exact(&mut first).await?;
        anyhow::Ok(began.elapsed())
    };
    let elapsed = tokio::time::timeout(Duration::from_secs(10), asked).await;
    child.kill().await?;
    elapsed.with_context(|| format!("{} did not ask for work", binary.display()))?
}
