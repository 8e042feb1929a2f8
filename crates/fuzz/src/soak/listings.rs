//! Reads every listing to its end.

use anyhow::{Context, bail};
use serde_json::Value;

use super::client::{self, PATIENCE, Request};

/// Pages of one listing that are read: what follows is more of the same.
const PAGES: usize = 500;

/// Executions whose histories are read.
const HISTORIES: usize = 200;

/// Reads them.
pub(super) fn read_all(address: &str) -> anyhow::Result<()> {
    let workflows = listing(address, "/v1/workflows?limit=200")?;
    let ids: Vec<&str> = workflows.iter().filter_map(|workflow| workflow["id"].as_str()).collect();
    let executions = listing(address, "/v1/executions?limit=200")?;
    let mut entries = workflows.len() + executions.len();
    for status in ["queued", "running", "waiting", "paused", "completed", "canceled", "failed"] {
        entries += listing(address, &format!("/v1/executions?limit=200&status={status}"))?.len();
    }
    for id in ids {
        for path in [
            format!("/v1/executions?limit=200&workflow={id}"),
            format!("/v1/workflows/{id}/refusals?limit=200"),
            format!("/v1/workflows/{id}/revisions?limit=200"),
        ] {
            entries += listing(address, &path)?.len();
        }
    }
    for path in ["/v1/objects/order/records?limit=200", "/v1/notices?limit=200", "/v1/audit?limit=200"] {
        entries += listing(address, path)?.len();
    }
    for execution in executions.iter().take(HISTORIES) {
        let id = execution["id"].as_str().context("an execution has an id")?;
        entries += listing(address, &format!("/v1/executions/{id}/history?limit=200"))?.len();
    }
    eprintln!("soak: every listing is readable, {entries} entries");
    Ok(())
}

fn listing(address: &str, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut target = path.to_owned();
    for _ in 0..PAGES {
        let request = Request { method: "GET", target, headers: Vec::new(), body: Vec::new() };
        let answer = client::send(address, &request, PATIENCE).with_context(|| path.to_owned())?;
        if answer.status != 200 {
            bail!("{path} answered {}: {}", answer.status, answer.shown());
        }
        let body: Value = serde_json::from_slice(&answer.body).with_context(|| format!("{path} is no JSON"))?;
        items.extend(body["items"].as_array().with_context(|| format!("{path} has no items"))?.iter().cloned());
        match body["next"].as_str() {
            Some(next) => target = format!("{path}&cursor={next}"),
            None => break,
        }
    }
    Ok(items)
}
