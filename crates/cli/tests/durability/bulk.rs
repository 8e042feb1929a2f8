//! Starts on many records by one action.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Server;

/// How long all of it may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(5);

/// Records that are written at a time.
const AT_ONCE: usize = 16;

/// Starts a second, and at a time: as many as may be.
const LIMITS: (u32, u32) = (1_000, 50);

/// The workflow that is started, and its object.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, text) in [
        ("bulk.workflow.yaml", include_str!("bulk.workflow.yaml")),
        ("thing.object.yaml", include_str!("thing.object.yaml")),
    ] {
        std::fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    folder
}

/// The id of a record.
pub(crate) fn record(number: usize) -> String {
    format!("thing-{number:04}")
}

impl Server {
    /// Writes so many records.
    pub(crate) async fn write_records(&self, count: usize) {
        let mut writes = tokio::task::JoinSet::new();
        for number in 0..count {
            let url = format!("{}/v1/objects/thing/records/{}", self.url, record(number));
            let request = self.http.put(url).json(&json!({"fields": {"name": record(number)}}));
            writes.spawn(async move { request.send().await.expect("the server answers").status() });
            if writes.len() >= AT_ONCE {
                written(&mut writes).await;
            }
        }
        while !writes.is_empty() {
            written(&mut writes).await;
        }
    }

    /// Begins the action; a repeat of it begins nothing. Returns its id.
    pub(crate) async fn start_on(&self, count: usize) -> String {
        let records: Vec<_> = (0..count).map(record).collect();
        let (rate, concurrency) = LIMITS;
        let body = json!({"records": records, "rate": rate, "concurrency": concurrency});
        let request = self.http.post(format!("{}/v1/workflows/bulk/starts", self.url));
        let answer = request.header("idempotency-key", "all-of-them").json(&body).send().await;
        let answer: Value = answer.expect("the server answers").json().await.expect("the answer is JSON");
        answer["id"].as_str().unwrap_or_else(|| panic!("expected an action, found {answer}")).to_owned()
    }

    /// The action, once it has reached so many records or is over.
    pub(crate) async fn action_reaches(&self, id: &str, count: u64) -> Value {
        let began = Instant::now();
        loop {
            let operation = self.read(&format!("/v1/operations/{id}")).await;
            if operation["executions"].as_u64() >= Some(count) || operation["state"] != "running" {
                return operation;
            }
            assert!(began.elapsed() < PATIENCE, "{operation}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All executions of the workflow, once each has ended.
    pub(crate) async fn all_ended(&self, workflow: &str) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let executions = self.listed(&format!("/v1/executions?workflow={workflow}&limit=200")).await;
            let open = executions.iter().filter(|one| one["status"] != "completed").count();
            if open == 0 {
                return executions;
            }
            assert!(began.elapsed() < PATIENCE, "{open} executions have not ended");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// All things.
    pub(crate) async fn things(&self) -> Vec<Value> {
        self.listed("/v1/objects/thing/records?limit=200").await
    }

    /// All pages of a listing.
    async fn listed(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.read(&format!("{path}{cursor}")).await;
            all.extend(page["items"].as_array().into_iter().flatten().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.expect("the server answers");
        answer.json().await.expect("the answer is JSON")
    }
}

async fn written(writes: &mut tokio::task::JoinSet<reqwest::StatusCode>) {
    let status = writes.join_next().await.expect("one is being written").expect("a write does not panic");
    assert!(status.is_success(), "{status}");
}
