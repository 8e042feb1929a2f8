//! The workflow `w5` on the deployed installation, watched through proxies.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use super::proxy::{Call, Calls};
use super::stack::Stack;

/// Steps that its author wrote.
pub(super) const STEPS: f64 = 5.0;

/// Longest time of one execution.
const PATIENCE: Duration = Duration::from_mins(1);

/// An installation that runs it.
pub(super) struct Watched {
    pub(super) stack: Stack,
    calls: Calls,
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
        stack.watch(&calls).await?;
        let echo = crate::echo::start().await?;
        stack.call("POST", "/v1/objects", include_str!("../item.object.yaml")).await?;
        let workflow = include_str!("../w5.workflow.yaml").replace("ECHO", &echo);
        stack.call("POST", "/v1/workflows", &workflow).await?;
        stack.call("POST", "/v1/workflows", &limited(&workflow)).await?;
        Ok(Self { stack, calls })
    }

    /// Posts its webhook and waits until nothing is asked for any more.
    pub(super) async fn run(&self) -> anyhow::Result<Ran> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let posted = Instant::now();
        let answer = self
            .stack
            .call("POST", "/hooks/w5/in", &format!(r#"{{"item":"item-{number}","amount":{number}}}"#))
            .await?;
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

    /// Whether a commit that passed says that an execution has ended.
    fn has_ended(&self, id: &str) -> bool {
        let key = format!("execution#{id}");
        let calls = self.calls.lock().expect("no holder panics");
        calls.iter().rev().any(|call| call.operation == "TransactWriteItems" && commits_end(&call.request, &key))
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

/// Whether a transaction puts the head of an execution that has ended.
fn commits_end(request: &Value, key: &str) -> bool {
    let members = request["TransactItems"].as_array().into_iter().flatten();
    let mut heads = members.filter(|member| {
        let item = &member["Put"]["Item"];
        item["pk"]["S"] == *key && item["sk"]["S"] == "head"
    });
    // Where it is listed by its state, which is followed by a shard.
    heads.any(|member| {
        let listed = member["Put"]["Item"]["i3p"]["S"].as_str();
        listed.is_some_and(|partition| partition.split('|').next() == Some("status#completed"))
    })
}
