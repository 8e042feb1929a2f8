//! Forks of an execution: asked for, and those that an execution has.

use reqwest::Method;
use serde_json::{Value, json};

use super::show;
use super::start::{debugged, given_values, started};
use super::view::{self, text};
use crate::args::{Fork, Rerun};
use crate::client::{Answer, Client};
use crate::output::say;

/// Begins an execution from a step on.
pub(super) async fn fork(client: &Client, fork: &Fork) -> anyhow::Result<bool> {
    ask(client, &fork.again, Some(&fork.at)).await
}

/// Begins an execution anew.
pub(super) async fn rerun(client: &Client, again: &Rerun) -> anyhow::Result<bool> {
    ask(client, again, None).await
}

async fn ask(client: &Client, again: &Rerun, at: Option<&str>) -> anyhow::Result<bool> {
    let request = client.request(Method::POST, &format!("/v1/executions/{}/fork", again.execution));
    let body = json!({"at": at, "values": given_values(&again.values)?, "debug": again.debug, "reason": again.reason});
    let request = again.idempotency_key.iter().fold(request, |request, key| request.header("idempotency-key", key));
    if again.debug {
        return debugged(client, request.json(&body)).await;
    }
    show(client, request.json(&body), |body| say!("{}", started(body))).await
}

/// The forks of an execution: the first page of them, for more are seldom.
pub(super) async fn of(client: &Client, execution: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("/v1/executions/{execution}/forks");
    let Answer::Done(page) = client.send(client.request(Method::GET, &path)).await? else { return Ok(Vec::new()) };
    Ok(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// Of which execution one is a fork.
pub(super) fn line(page: &Value) -> Option<String> {
    let fork = page.get("fork").filter(|fork| fork.is_object())?;
    let (original, at) = (text(fork, "execution"), text(fork, "at"));
    Some(if at.is_empty() { format!("rerun of {original}") } else { format!("fork of {original} before step {at}") })
}

/// A line for each.
pub(super) fn lines(forks: &[Value]) -> String {
    let line = |fork: &Value| {
        let line = format!("  {}  {}  {}", text(fork, "id"), text(fork, "status"), view::indicators(fork));
        line.trim_end().to_owned()
    };
    std::iter::once("forks:".to_owned()).chain(forks.iter().map(line)).collect::<Vec<_>>().join("\n")
}
