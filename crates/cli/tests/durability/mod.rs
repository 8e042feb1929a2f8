//! A server that is killed, an outside service that counts, and a load that remembers what was acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

type Calls = Arc<Mutex<BTreeMap<String, u32>>>;

/// An outside service that counts calls by their idempotency key.
pub(crate) struct Echo {
    /// `host:port`.
    pub address: String,
    calls: Calls,
}

impl Echo {
    /// Starts it on loopback.
    pub(crate) async fn start() -> Self {
        let calls = Calls::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address").to_string();
        let router = Router::new().route("/", post(count)).with_state(calls.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, calls }
    }

    /// Calls by idempotency key.
    pub(crate) fn calls(&self) -> BTreeMap<String, u32> {
        self.calls.lock().expect("no holder panics").clone()
    }
}

async fn count(State(calls): State<Calls>, headers: HeaderMap) -> Json<Value> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or("none").to_owned();
    *calls.lock().expect("no holder panics").entry(key).or_default() += 1;
    Json(json!({"ok": true}))
}

/// The workflow under load: both promises about effects, record writes, and a wait.
pub(crate) fn folder(echo: &Echo) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let workflow = include_str!("load.workflow.yaml").replace("ECHO", &echo.address);
    std::fs::write(folder.path().join("load.workflow.yaml"), workflow).expect("the folder is writable");
    std::fs::write(folder.path().join("thing.object.yaml"), include_str!("thing.object.yaml"))
        .expect("the folder is writable");
    folder
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(folder: &Path, data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pawl"))
            .args(["--log", "error", "dev", "--port", "0", "--allow", "127.0.0.1", "--data"])
            .arg(data)
            .arg(folder)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("the output is piped")).lines();
        let url = loop {
            let line = lines.next_line().await.expect("the output is text").expect("the server gets ready");
            if let Some(url) = line.strip_prefix("ready on ") {
                break url.to_owned();
            }
        };
        // Read on, so that the server never waits for its reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url, http: reqwest::Client::new() }
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("a running process can be killed");
    }

    /// Waits until an execution has ended, and reads it.
    pub(crate) async fn ended(&self, execution: &str) -> Value {
        let url = format!("{}/v1/executions/{execution}?wait_s=60", self.url);
        let answer = self.http.get(url).send().await.expect("the server answers");
        assert_eq!(answer.status(), 200, "{execution} was acknowledged and must be there");
        answer.json().await.expect("the answer is JSON")
    }
}

/// Deliveries, and the executions that were acknowledged.
pub(crate) struct Load {
    sent: u64,
    acknowledged: Vec<String>,
}

impl Load {
    /// Nothing was sent yet.
    pub(crate) fn new() -> Self {
        Self { sent: 0, acknowledged: Vec::new() }
    }

    /// Executions that were answered 202.
    pub(crate) fn acknowledged(&self) -> &[String] {
        &self.acknowledged
    }

    /// Sends so many deliveries, several at once, and does not wait for their executions: the kill comes while
    /// they run.
    pub(crate) async fn deliver(&mut self, server: &Server, count: u64) {
        let url = format!("{}/hooks/load/in", server.url);
        let numbers = self.sent..self.sent + count;
        self.sent += count;
        let posts = numbers.map(|number| {
            let request = server.http.post(&url).header("idempotency-key", format!("delivery-{number}"));
            let request = request.json(&json!({"thing": format!("thing-{}", number % 16), "number": number}));
            tokio::spawn(async move { request.send().await?.json::<Value>().await })
        });
        for post in posts.collect::<Vec<_>>() {
            if let Ok(Ok(answer)) = post.await
                && let Some(execution) = answer.get("execution_id").and_then(Value::as_str)
            {
                self.acknowledged.push(execution.to_owned());
            }
        }
    }
}
