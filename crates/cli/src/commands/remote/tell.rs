//! `pawl event` and `pawl mail-events`: tell the installation what happened outside.

use std::path::Path;

use anyhow::Context;
use pawl_definition::json::{self, Bounds};
use reqwest::Method;
use serde_json::Value;

use super::show;
use super::view::text;
use crate::client::Client;
use crate::output::say;

/// Tells of an event.
pub(super) async fn event(client: &Client, (file, key): (&Path, Option<&str>)) -> anyhow::Result<bool> {
    let request = client.request(Method::POST, "/v1/events").json(&read(file)?);
    let request = key.iter().fold(request, |request, key| request.header("idempotency-key", *key));
    show(client, request, |body| say!("accepted {}", text(body, "event_id"))).await
}

/// Tells what became of messages.
pub(super) async fn mail_events(client: &Client, file: &Path) -> anyhow::Result<bool> {
    let request = client.request(Method::POST, "/v1/mail-events").json(&read(file)?);
    show(client, request, |body| say!("{}", accepted(body).trim_end())).await
}

/// Which events were accepted, a line each.
fn accepted(body: &Value) -> String {
    let events = body.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let line = |event: &Value| {
        let again = if event["repeated"] == true { ", which was accepted before" } else { "" };
        format!("accepted {} as {}{again}\n", text(event, "id"), text(event, "event_id"))
    };
    events.iter().map(line).collect()
}

/// The JSON of a file, or of the input.
fn read(file: &Path) -> anyhow::Result<Value> {
    let text =
        if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
    json::parse(text.as_bytes(), &Bounds::OUTSIDE).with_context(|| format!("{} is no JSON", file.display()))
}
