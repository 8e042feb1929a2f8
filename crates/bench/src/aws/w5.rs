//! The workflow `w5` on the deployed installation, watched through proxies.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use serde_json::Value;

use super::gate::Gate;
use super::proxy::{Call, Calls, Gates};
use super::stack::Stack;

/// Steps that its author wrote.
pub(super) const STEPS: f64 = 5.0;

/// Longest time of one execution.
const PATIENCE: Duration = Duration::from_mins(1);

/// An installation that runs it.
pub(super) struct Watched {
    pub(super) stack: Stack,
    /// Address of the service that its workflows call.
    pub(super) echo: String,
    calls: Calls,
    gates: Gates,
}

/// One execution.
pub(super) struct Ran {
    /// When its webhook was sent.
    pub(super) posted: Instant,
    /// When it was answered 202.
    pub(super) accepted: Instant,
}

impl Watched {
    /// Saves it, with a service that it calls.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let stack = Stack::read()?;
        let calls = Calls::default();
        let gates = Gates::default();
        stack.watch(&calls, &gates).await?;
        let echo = crate::echo::start().await?;
        stack.call("POST", "/v1/objects", include_str!("../item.object.yaml")).await?;
        let workflow = include_str!("../w5.workflow.yaml").replace("ECHO", &echo);
        stack.call("POST", "/v1/workflows", &workflow).await?;
        stack.call("POST", "/v1/workflows", &limited(&workflow)).await?;
        Ok(Self { stack, echo, calls, gates })
    }

    /// Posts its webhook and waits until nothing is asked for any more.
    pub(super) async fn run(&self) -> anyhow::Result<Ran> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.deliver("/hooks/w5/in", &format!(r#"{{"item":"item-{number}","amount":{number}}}"#)).await
    }

    /// Posts a webhook and waits until the execution that it starts has ended.
    pub(super) async fn deliver(&self, hook: &str, body: &str) -> anyhow::Result<Ran> {
        let posted = Instant::now();
        let answer = self.stack.call("POST", hook, body).await?;
        let accepted = Instant::now();
        let id = answer["execution_id"].as_str().context("expected an execution")?.to_owned();
        while posted.elapsed() < PATIENCE {
            if self.has_ended(&id) {
                return Ok(Ran { posted, accepted });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("expected {id} to end within {} s", PATIENCE.as_secs())
    }

    /// From now on, holds requests against a gate.
    pub(super) fn hold_against(&self, gate: Gate) {
        *self.gates.lock().expect("no holder panics") = Some(gate);
    }

    /// Lets all requests pass again.
    pub(super) fn let_all_pass(&self) -> Option<Gate> {
        self.gates.lock().expect("no holder panics").take()
    }

    /// The executions of which a commit said that they have completed, since this was asked last.
    pub(super) fn ended(&self) -> Vec<String> {
        let calls = std::mem::take(&mut *self.calls.lock().expect("no holder panics"));
        calls.iter().filter(|call| call.status == 200).flat_map(completed).collect()
    }

    /// Whether a commit that passed says that an execution has ended.
    fn has_ended(&self, id: &str) -> bool {
        let calls = self.calls.lock().expect("no holder panics");
        calls.iter().rev().any(|call| call.status == 200 && completed(call).iter().any(|ended| ended == id))
    }

    /// Waits until the functions have asked for nothing for a while, and takes what was noted so far.
    pub(super) async fn settle(&self, quiet: Duration) -> Vec<Call> {
        self.settled(quiet).await;
        std::mem::take(&mut *self.calls.lock().expect("no holder panics"))
    }

    /// Waits until the functions have asked for nothing for a while.
    pub(super) async fn settled(&self, quiet: Duration) {
        let began = Instant::now();
        loop {
            let last = self.calls.lock().expect("no holder panics").iter().map(|call| call.end).max();
            if last.map_or(began, |last| last.max(began)).elapsed() > quiet {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The same under the name `w5-limited`, with limits so high that nothing waits: what is counted is what counting takes.
fn limited(workflow: &str) -> String {
    let limits = "limits: {concurrency: 1000, starts: {per: 1s, at_most: 1000}}";
    workflow.replace("workflow: w5\n", &format!("workflow: w5-limited\n{limits}\n"))
}

/// The executions whose heads a request puts as completed, by itself or in a transaction.
fn completed(call: &Call) -> Vec<String> {
    let end = |put: &Value| {
        let item = &put["Item"];
        // Where it is listed by its state, which is followed by a shard.
        let listed = item["i3p"]["S"].as_str().and_then(|partition| partition.split('|').next());
        let is_end = item["sk"]["S"] == "head" && listed == Some("status#completed");
        item["pk"]["S"].as_str()?.strip_prefix("execution#").filter(|_| is_end).map(str::to_owned)
    };
    match call.operation.as_str() {
        "PutItem" => end(&call.request).into_iter().collect(),
        "TransactWriteItems" => {
            let members = call.request["TransactItems"].as_array().into_iter().flatten();
            members.filter_map(|member| end(&member["Put"])).collect()
        }
        _ => Vec::new(),
    }
}

/// The time, in milliseconds of the epoch, as logs have it.
pub(super) fn millis() -> anyhow::Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
