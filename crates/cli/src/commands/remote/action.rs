//! Tracked actions on many executions or records: the preview first, then the question, then the progress.

use std::time::Duration;

use anyhow::bail;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::action_view as shown;
use super::view::{self, text};
use super::{refused, show as print};
use crate::args::{Filter, Operation, Pace};
use crate::client::{Answer, Client};
use crate::coded::coded;
use crate::output::{complain, confirmed, progress, say};
use crate::when::When;

/// Pauses between two looks at an operation: the first, and the longest.
const LOOK_FIRST: Duration = Duration::from_millis(100);
const LOOK_MOST: Duration = Duration::from_secs(1);

/// What is asked of the installation.
pub(super) struct Asked<'a> {
    pub(super) path: String,
    /// Without what is the same of all actions.
    pub(super) body: Value,
    pub(super) reason: Option<&'a str>,
    /// What is done, as the question says: `retry`.
    pub(super) what: String,
    /// To what: one, and several.
    pub(super) noun: (&'static str, &'static str),
}

/// Controls the executions of a filter.
pub(super) async fn control(
    client: &Client,
    word: &str,
    (filter, reason, take): (&Filter, Option<&str>, Option<&str>),
    pace: &Pace,
) -> anyhow::Result<bool> {
    let filter: Map<String, Value> =
        filter.keys().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let body = json!({"action": word, "filter": filter, "take": take});
    let (path, what, noun) = ("/v1/operations".to_owned(), word.to_owned(), ("execution", "executions"));
    run(client, Asked { path, body, reason, what, noun }, pace).await
}

/// The options of an action on many, where there is no such action.
pub(super) fn unused(pace: &Pace) -> anyhow::Result<()> {
    let Pace { dry_run, yes, rate, concurrency, detach } = pace;
    if *dry_run || *yes || *detach || rate.is_some() || concurrency.is_some() {
        bail!("--dry-run, --yes, --detach, --rate and --concurrency are for many at once: say a filter, too");
    }
    Ok(())
}

/// Previews an action, asks, and runs it; `false` if the installation refused it or a part of it, or if it was not run.
pub(super) async fn run(client: &Client, asked: Asked<'_>, pace: &Pace) -> anyhow::Result<bool> {
    let Asked { path, body, reason, what, noun } = asked;
    let mut body = body;
    for (name, value) in [("rate", json!(pace.rate)), ("concurrency", json!(pace.concurrency))] {
        body[name] = value;
    }
    body["reason"] = json!(reason);
    body["preview"] = json!(true);
    let begun = match client.send(client.request(Method::POST, &path).json(&body)).await? {
        Answer::Done(operation) => operation,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    };
    let id = text(&begun, "id");
    let preview = until(client, begun, |state| state != "running").await?;
    let count = preview.pointer("/action/preview/count").and_then(Value::as_u64).unwrap_or_default();
    let is_ready = text(&preview, "state") == "ready";
    if !client.json || !is_ready {
        say!("{}", shown::preview(&preview, noun).trim_end());
    }
    if !is_ready {
        return Ok(false);
    }
    if pace.dry_run || count == 0 {
        return Ok(dry(client, &preview, count));
    }
    let question = format!("{what} {count} {}?", if count == 1 { noun.0 } else { noun.1 });
    match if pace.yes { Some(true) } else { confirmed(&question) } {
        Some(true) => {}
        Some(false) => {
            handle(client, &id, "cancel").await?;
            complain!("nothing was done");
            return Ok(false);
        }
        None => bail!("nobody can be asked here: say --yes, or --dry-run; or run it later: pawl operation {id} run"),
    }
    let running = match handle(client, &id, "run").await? {
        Answer::Done(operation) => operation,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    };
    if pace.detach {
        if client.json {
            say!("{running}");
        } else {
            say!("{id} runs: pawl operation {id}");
        }
        return Ok(true);
    }
    complain!("{id} runs, and goes on without this command: pawl operation {id}");
    ended(client, running).await
}

/// What a preview comes to that is not run.
fn dry(client: &Client, preview: &Value, count: u64) -> bool {
    if client.json {
        say!("{preview}");
    } else if count > 0 {
        say!("nothing was done; to run it: pawl operation {} run --wait", text(preview, "id"));
    }
    true
}

/// Shows an operation, after what is done to it.
pub(super) async fn show(client: &Client, operation: &Operation) -> anyhow::Result<bool> {
    let id = &operation.id;
    if let Some(handling) = operation.handling
        && let Answer::Problem(problem) = handle(client, id, handling.word()).await?
    {
        return Ok(refused(client, &problem));
    }
    if operation.results {
        return results(client, id).await;
    }
    let path = format!("/v1/operations/{id}");
    if !operation.wait {
        return print(client, client.request(Method::GET, &path), |body| {
            say!("{}", shown::operation(body, &When::system()).trim_end());
        })
        .await;
    }
    match client.send(client.request(Method::GET, &path)).await? {
        Answer::Done(present) => ended(client, present).await,
        Answer::Problem(problem) => Ok(refused(client, &problem)),
    }
}

async fn handle(client: &Client, id: &str, word: &str) -> anyhow::Result<Answer> {
    let request = client.request(Method::POST, &format!("/v1/operations/{id}/{word}"));
    client.send(request.json(&json!({}))).await
}

/// Follows an operation to its end, and prints what came of it; `false` if a part of it was refused or failed.
async fn ended(client: &Client, operation: Value) -> anyhow::Result<bool> {
    let operation = until(client, operation, |state| state != "running").await?;
    let count = |key: &str| operation.pointer(&format!("/action/counts/{key}")).and_then(Value::as_u64);
    let left = count("refused").unwrap_or_default() + count("failed").unwrap_or_default();
    if client.json {
        say!("{operation}");
    } else {
        say!("{}", shown::operation(&operation, &When::system()).trim_end());
        if left > 0 {
            results(client, &text(&operation, "id")).await?;
        }
    }
    Ok(left == 0 && text(&operation, "state") == "completed")
}

/// Looks at an operation again and again until its state is as wanted.
async fn until(client: &Client, mut operation: Value, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Value> {
    let path = format!("/v1/operations/{}", text(&operation, "id"));
    let mut pause = LOOK_FIRST;
    while !wanted(&text(&operation, "state")) {
        progress(&shown::bar(&operation));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_MOST);
        operation = match client.send(client.request(Method::GET, &path)).await? {
            Answer::Done(operation) => operation,
            Answer::Problem(problem) => {
                let told = format!("{}: {}", text(&problem, "code"), text(&problem, "detail"));
                return Err(coded("unavailable", format!("cannot follow the operation further: {told}")));
            }
        };
    }
    progress("");
    Ok(operation)
}

/// Lists what an action could not act on.
async fn results(client: &Client, id: &str) -> anyhow::Result<bool> {
    let path = format!("/v1/operations/{id}/results");
    let (mut found, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let query: Vec<_> = cursor.iter().map(|cursor| ("cursor", cursor.as_str())).chain([("limit", "200")]).collect();
        let page = match client.send(client.request(Method::GET, &path).query(&query)).await? {
            Answer::Done(page) => page,
            Answer::Problem(problem) => return Ok(refused(client, &problem)),
        };
        found.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        // A person reads some of them; a program gets all.
        if cursor.is_none() || !client.json && found.len() >= shown::RESULTS_MOST {
            break;
        }
    }
    if client.json {
        for result in &found {
            say!("{result}");
        }
    } else if found.is_empty() {
        say!("nothing was refused, and nothing failed");
    } else {
        say!("{}", shown::results(&found, cursor.is_some()).trim_end());
    }
    Ok(true)
}

/// The line of an operation that is no action.
pub(super) fn line(operation: &Value, when: &When) -> String {
    view::operation(operation, when)
}
