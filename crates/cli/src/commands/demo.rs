//! `pawl demo`: a bundled example, end to end, on the embedded engine.

mod story;
mod tracker;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hmac::{Hmac, KeyInit, Mac};
use pawl_local::BacklogLimits;
use pawl_runtime::DefaultRetention;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::client::{Answer, Client};
use crate::embedded::{Embedded, Folder, Options};
use story::Story;
use tracker::Tracker;

/// The delivery that starts it: GitHub's published example of a new issue, in the envelope that API Gateway makes.
const DELIVERY: &str = include_str!("../../../../events/webhook-ingress/github-issues-opened.json");
/// The example, as it stands in the repository.
const EXAMPLE: &[(&str, &str)] = &[
    ("support-triage.workflow.yaml", include_str!("../../../../examples/support-triage/support-triage.workflow.yaml")),
    ("ticket.object.yaml", include_str!("../../../../examples/support-triage/ticket.object.yaml")),
];
/// Signs the delivery; any will do, both sides are here.
const SECRET: &str = "the demo signs with this";
/// How often the history is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// What is in progress when the execution has ended is over much sooner.
const GRACE: Duration = Duration::from_secs(5);
/// Looks before the demo gives up: half a minute.
const LOOKS: u32 = 1_200;

/// Runs it; `false` if the execution did not complete. Interrupted, it leaves nothing behind.
pub(crate) async fn run(dir: Option<&Path>, json: bool) -> anyhow::Result<bool> {
    let bundled = tempfile::tempdir().context("cannot make a folder for the demo's files")?;
    let dir = match dir {
        Some(dir) => dir,
        None => unpack(bundled.path()).context("cannot write the demo's files")?,
    };
    ensure!(dir.exists(), "expected a folder of workflows, found none at {}", dir.display());
    let data = tempfile::tempdir().context("cannot make a folder for the demo's data")?;
    tokio::select! {
        shown = show(dir, data.path(), json) => shown,
        interrupt = tokio::signal::ctrl_c() => interrupt.map(|()| false).context("cannot receive an interrupt"),
    }
}

/// Writes the bundled example into a folder.
fn unpack(folder: &Path) -> std::io::Result<&Path> {
    for (name, text) in EXAMPLE {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(folder)
}

async fn show(dir: &Path, data: &Path, json: bool) -> anyhow::Result<bool> {
    let tracker = Tracker::start().await?;
    let embedded = Embedded::start(Options {
        data,
        port: 0,
        allow: &tracker.address.to_string(),
        max_steps_per_invocation: 50,
        backlog: BacklogLimits::default(),
        retention: DefaultRetention::default(),
        token: None,
        variables: variables(&tracker),
    })
    .await?;
    let story = Story::new(json);
    story.say(&format!("embedded system on {}, data in a temporary folder", embedded.url()));
    story.say(if embedded.has_model {
        "a model is configured: it decides"
    } else {
        "no model is configured (PAWL_MODEL_URL): rules decide"
    });
    for loaded in Folder::new(dir).load(&embedded.system).await? {
        match loaded.result {
            Ok(what) => story.say(&format!("loaded {what}")),
            Err(why) => bail!("{}", why.lines(&loaded.path).join("\n")),
        }
    }
    let client = Client::new(&embedded.url(), None, None, json)?;
    let execution = deliver(&client, &story).await?;
    let page = follow(&client, &story, &execution).await?;
    story.end(&page, tracker.calls());
    embedded.stop(GRACE).await;
    Ok(page.get("status").and_then(Value::as_str) == Some("completed"))
}

fn variables(tracker: &Tracker) -> Vec<(String, String)> {
    let secrets = [
        ("PAWL_SECRET_GITHUB_WEBHOOK", SECRET.to_owned()),
        ("PAWL_SECRET_TRACKER_URL", format!("http://{}", tracker.address)),
    ];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value));
    std::env::vars().filter(|(name, _)| name.starts_with("PAWL_MODEL_")).chain(secrets).collect()
}

/// Posts the delivery as GitHub does, and returns the execution that it starts.
async fn deliver(client: &Client, story: &Story) -> anyhow::Result<String> {
    let envelope: Value = serde_json::from_str(DELIVERY)?;
    let body = envelope.get("body").and_then(Value::as_str).context("the delivery has a body")?.to_owned();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).context("an HMAC takes a key of any length")?;
    mac.update(body.as_bytes());
    let signature = mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let request = client
        .request(Method::POST, "/hooks/support-triage/github")
        .header("content-type", "application/json")
        .header("x-github-event", "issues")
        .header("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        .header("x-hub-signature-256", format!("sha256={signature}"))
        .body(body);
    let answer = done(client.send(request).await?)?;
    let execution = answer.get("execution_id").and_then(Value::as_str).context("the answer names an execution")?;
    story.say(&format!("posted GitHub's issues.opened, signed with HMAC: 202, execution {execution}"));
    Ok(execution.to_owned())
}

/// Shows each step as it happens; resolves the ticket once the execution waits for that.
async fn follow(client: &Client, story: &Story, execution: &str) -> anyhow::Result<Value> {
    let mut shown = 0;
    let mut resolved = false;
    for _ in 0..LOOKS {
        let page = page(client, execution).await?;
        let rows = page.pointer("/history/items").and_then(Value::as_array).cloned().unwrap_or_default();
        if let (0, false, Some(ticket)) = (shown, rows.is_empty(), page.pointer("/record/id").and_then(Value::as_str)) {
            story.say(&format!("no ticket exists for the issue yet: {ticket} is created"));
        }
        for row in rows.iter().skip(shown) {
            story.step(row);
        }
        shown = rows.len();
        let status = page.get("status").and_then(Value::as_str).unwrap_or_default();
        let waits = rows.last().is_some_and(|row| row["step"] == "resolved" && row["status"] == "waiting");
        match status {
            "completed" | "failed" | "canceled" | "paused" => return Ok(page),
            _ if waits && !resolved => {
                resolve(client, story, &page).await?;
                resolved = true;
            }
            _ => {}
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bail!("the execution {execution} did not end in time")
}

async fn page(client: &Client, execution: &str) -> anyhow::Result<Value> {
    let request = client.request(Method::GET, &format!("/v1/executions/{execution}"));
    match client.send(request).await? {
        Answer::Done(page) => Ok(page),
        // It was accepted, and is made in a moment.
        Answer::Problem(problem) if problem["status"] == 404 => Ok(json!({})),
        Answer::Problem(problem) => bail!("{problem}"),
    }
}

/// A person resolves the ticket: its field changes, and the goal hears of it.
async fn resolve(client: &Client, story: &Story, page: &Value) -> anyhow::Result<()> {
    let record = page.pointer("/record/id").and_then(Value::as_str).context("the execution runs on a ticket")?;
    let request = client.request(Method::PATCH, &format!("/v1/objects/ticket/records/{record}"));
    done(client.send(request.json(&json!({"fields": {"status": "resolved"}}))).await?)?;
    story.say("somebody sets the ticket's status to resolved");
    Ok(())
}

fn done(answer: Answer) -> anyhow::Result<Value> {
    match answer {
        Answer::Done(body) => Ok(body),
        Answer::Problem(problem) => bail!("{problem}"),
    }
}
