//! A server that is killed, an outside service that counts, and a load that remembers what was acknowledged.

pub(crate) mod bulk;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

/// Records that the deliveries are about, so that executions meet on them.
const THINGS: u64 = 16;

/// Acknowledged deliveries that are sent again after a kill.
const REPEATED: usize = 5;

/// The outside service takes its time, so that kills strike while it is at work.
const ANSWERS_AFTER: Duration = Duration::from_millis(20);

/// How often an execution is looked at until it has ended, 5 s each.
const LOOKS: usize = 24;

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
    tokio::time::sleep(ANSWERS_AFTER).await;
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
    /// Starts a program and waits until it is ready.
    pub(crate) async fn start(program: &Path, folder: &Path, data: &Path) -> Self {
        let mut child = Command::new(program)
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

    /// How often all things were counted up.
    pub(crate) async fn counted(&self) -> f64 {
        let url = format!("{}/v1/objects/thing/records?limit=200", self.url);
        let listed: Value = self.http.get(url).send().await.expect("the server answers").json().await.expect("JSON");
        let things = listed["items"].as_array().expect("a listing has items");
        things.iter().filter_map(|thing| thing["fields"]["count"].as_f64()).sum()
    }

    /// Waits until an execution has ended, and reads it. One in which process after process was killed is stalled, as
    /// the rule of five deaths says, and waits for a person, who is this test.
    pub(crate) async fn ended(&self, execution: &str) -> Value {
        let url = format!("{}/v1/executions/{execution}", self.url);
        let mut page = Value::Null;
        for _ in 0..LOOKS {
            let answer = self.http.get(format!("{url}?wait_s=5")).send().await.expect("the server answers");
            assert_eq!(answer.status(), 200, "{execution} was acknowledged and must be there");
            page = answer.json().await.expect("the answer is JSON");
            if ["completed", "canceled", "failed"].map(|end| json!(end)).contains(&page["status"]) {
                break;
            }
            if page["indicators"].as_array().is_some_and(|indicators| indicators.contains(&json!("stalled"))) {
                let resumed = self.http.post(format!("{url}/resume")).json(&json!({"reason": "the kills are over"}));
                let answer = resumed.send().await.expect("the server answers");
                assert_eq!(answer.status(), 200, "{execution} goes on: {page}");
            }
        }
        page
    }
}

/// Deliveries by number, and the executions that were acknowledged for them.
#[derive(Default)]
pub(crate) struct Load {
    sent: u64,
    acknowledged: BTreeMap<u64, String>,
}

impl Load {
    /// The executions that were answered 202, by delivery.
    pub(crate) fn acknowledged(&self) -> &BTreeMap<u64, String> {
        &self.acknowledged
    }

    /// Deliveries that were sent, acknowledged or not.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Sends so many new deliveries, and again those that were not acknowledged and a few that were, all at once.
    /// Kills the server after so many answers, amid the others and the executions that they start.
    pub(crate) async fn deliver_and_kill(&mut self, server: Server, new: u64, answers: u64) {
        let known = self.acknowledged.keys().rev().take(REPEATED).copied().collect::<Vec<_>>();
        let open = (0..self.sent).filter(|number| !self.acknowledged.contains_key(number));
        let numbers: Vec<u64> = open.chain(known).chain(self.sent..self.sent + new).collect();
        self.sent += new;
        let mut posts: JoinSet<_> = numbers.into_iter().map(|number| send(&server, number)).collect();
        let mut server = Some(server);
        let mut answered = 0;
        loop {
            if answered >= answers
                && let Some(server) = server.take()
            {
                server.kill().await;
            }
            let Some(post) = posts.join_next().await else { break };
            let (number, execution) = post.expect("a post does not panic");
            answered += 1;
            if let Some(execution) = execution {
                let before = self.acknowledged.insert(number, execution.clone());
                assert!(before.is_none_or(|before| before == execution), "delivery {number} is answered as before");
            }
        }
    }

    /// Sends again what was not acknowledged.
    pub(crate) async fn deliver_rest(&mut self, server: &Server) {
        let open: Vec<_> = (0..self.sent).filter(|number| !self.acknowledged.contains_key(number)).collect();
        for number in open {
            let (_, execution) = send(server, number).await;
            self.acknowledged.insert(number, execution.expect("nothing disturbs it any more"));
        }
    }
}

/// Posts a delivery; returns its execution if it was acknowledged.
fn send(server: &Server, number: u64) -> impl Future<Output = (u64, Option<String>)> + 'static {
    let request = server.http.post(format!("{}/hooks/load/in", server.url));
    let request = request.header("idempotency-key", format!("delivery-{number}"));
    let request = request.json(&json!({"thing": format!("thing-{}", number % THINGS), "number": number}));
    async move {
        let Ok(answer) = request.send().await else { return (number, None) };
        let answer = answer.json::<Value>().await.unwrap_or_default();
        (number, answer.get("execution_id").and_then(Value::as_str).map(str::to_owned))
    }
}
