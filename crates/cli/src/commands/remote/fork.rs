//! Forks of an execution: asked for, and those that an execution has.

use reqwest::Method;
use serde_json::{Value, json};

use super::show;
use super::start::{debugged, given_values, started};
use super::view::{self, text};
use crate::args::{Anew, Fork, Replay, Rerun};
use crate::client::{Answer, Client};
use crate::output::say;

/// Begins an execution from a step on.
pub(super) async fn fork(client: &Client, fork: &Fork) -> anyhow::Result<bool> {
    let Rerun { execution, anew } = &fork.again;
    ask(client, &format!("/v1/executions/{execution}/fork"), anew, Some(&fork.at)).await
}

/// Begins an execution anew.
pub(super) async fn rerun(client: &Client, again: &Rerun) -> anyhow::Result<bool> {
    ask(client, &format!("/v1/executions/{}/fork", again.execution), &again.anew, None).await
}

/// Begins an execution by an event that was refused.
pub(super) async fn replay(client: &Client, replay: &Replay) -> anyhow::Result<bool> {
    ask(client, &format!("/v1/refusals/{}/replay", replay.refusal), &replay.anew, None).await
}

async fn ask(client: &Client, path: &str, anew: &Anew, at: Option<&str>) -> anyhow::Result<bool> {
    let Anew { values, revision, debug, reason, idempotency_key } = anew;
    let mut body = json!({"values": given_values(values)?, "debug": debug});
    for (key, value) in [("at", json!(at)), ("revision", json!(revision)), ("reason", json!(reason))] {
        if !value.is_null() {
            body[key] = value;
        }
    }
    let request = client.request(Method::POST, path);
    let request = idempotency_key.iter().fold(request, |request, key| request.header("idempotency-key", key));
    if *debug {
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
    let [original, at, refused, revision] = ["execution", "at", "refused", "revision"].map(|key| text(fork, key));
    let of = match (at.as_str(), refused.as_str()) {
        ("", "") => format!("rerun of {original}"),
        ("", code) => format!("replay of {original}, which was refused with {code}"),
        (at, _) => format!("fork of {original} before step {at}"),
    };
    Some(if revision.is_empty() { of } else { format!("{of}; keeps revision {revision}") })
}

/// A line for each.
pub(super) fn lines(forks: &[Value]) -> String {
    let line = |fork: &Value| {
        let line = format!("  {}  {}  {}", text(fork, "id"), text(fork, "status"), view::indicators(fork));
        line.trim_end().to_owned()
    };
    std::iter::once("forks:".to_owned()).chain(forks.iter().map(line)).collect::<Vec<_>>().join("\n")
}
