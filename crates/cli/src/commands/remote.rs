//! The commands that talk to an installation.

use std::path::Path;

use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::args::{Act, Kill, Remote};
use crate::client::{Answer, Client, explain};
use crate::{files, table};

/// Carries a command out; `false` if the installation refused.
pub(crate) async fn run(command: Remote, client: Client) -> anyhow::Result<bool> {
    let get = |path: &str| client.request(Method::GET, path);
    let post = |path: String| client.request(Method::POST, &path);
    match command {
        Remote::Apply { files, if_match } => apply(&client, &files, if_match).await,
        Remote::Start { workflow, record, values, idempotency_key } => {
            let request =
                post(format!("/v1/workflows/{workflow}/start")).json(&start_body(record.as_deref(), &values)?);
            let request = idempotency_key.iter().fold(request, |request, key| request.header("idempotency-key", key));
            show(&client, request, |body| println!("started {}", text(body, "execution_id"))).await
        }
        Remote::Workflows => show(&client, get("/v1/workflows"), workflows).await,
        Remote::Activate { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/activate")), |_| println!("active")).await
        }
        Remote::Deactivate { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/deactivate")), |_| println!("inactive")).await
        }
        Remote::Executions { workflow, status, record, limit } => {
            let limit = Some(limit.to_string());
            let query = [("workflow", workflow), ("status", status), ("record", record), ("limit", limit)];
            let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            show(&client, get("/v1/executions").query(&query), executions).await
        }
        Remote::Show { execution } => show(&client, get(&format!("/v1/executions/{execution}")), execution_page).await,
        Remote::Refusals { workflow } => {
            show(&client, get(&format!("/v1/workflows/{workflow}/refusals")), refusals).await
        }
        Remote::Pause(act) => control(&client, "pause", &act, None).await,
        Remote::Resume(act) => control(&client, "resume", &act, None).await,
        Remote::Cancel(act) => control(&client, "cancel", &act, None).await,
        Remote::Retry(act) => control(&client, "retry", &act, None).await,
        Remote::Skip { act, take } => control(&client, "skip", &act, take.as_deref()).await,
        Remote::Kill(kill) => switch(&client, "kill", &kill).await,
        Remote::Lift(kill) => switch(&client, "lift", &kill).await,
    }
}

/// Sends, and prints what came: as JSON, or by the command's own view.
async fn show(client: &Client, request: RequestBuilder, view: impl Fn(&Value)) -> anyhow::Result<bool> {
    match client.send(request).await? {
        Answer::Done(body) if client.json => println!("{body}"),
        Answer::Done(body) => view(&body),
        Answer::Problem(problem) => {
            if client.json {
                println!("{problem}");
            } else {
                explain(&problem);
            }
            return Ok(false);
        }
    }
    Ok(true)
}

async fn apply(client: &Client, paths: &[std::path::PathBuf], if_match: Option<u64>) -> anyhow::Result<bool> {
    let mut found = files::some(paths, &[files::OBJECT, files::WORKFLOW].concat())?;
    // Objects first: workflows are checked against them.
    found.sort_by_key(|path| files::is(path, files::WORKFLOW));
    let mut right = true;
    for path in found {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let request =
            client.request(if is_workflow(&path) { Method::POST } else { Method::PUT }, &target(&path, &text)?);
        let request =
            if_match.iter().fold(request, |request, revision| request.header("if-match", format!("\"{revision}\"")));
        let request = request.header("content-type", "application/yaml").body(text);
        right &= show(client, request, |_| println!("{}: saved", path.display())).await?;
    }
    Ok(right)
}

fn is_workflow(path: &Path) -> bool {
    files::is(path, files::WORKFLOW)
}

/// Where a file is saved.
fn target(path: &Path, text: &str) -> anyhow::Result<String> {
    if is_workflow(path) {
        return Ok("/v1/workflows".to_owned());
    }
    let source = pawl_definition::Source::parse(&path.display().to_string(), text);
    let id = source.ok().and_then(|source| source.value.get("object")?.as_str().map(str::to_owned));
    let id = id.with_context(|| format!("{}: expected an object's id under `object`", path.display()))?;
    Ok(format!("/v1/objects/{id}"))
}

fn start_body(record: Option<&str>, values: &[String]) -> anyhow::Result<Value> {
    let mut body = Map::new();
    if let Some(record) = record {
        let (object, id) =
            record.split_once('/').with_context(|| format!("expected <object>/<id>, found {record:?}"))?;
        body.insert("record".into(), json!({"object": object, "id": id}));
    }
    let mut given = Map::new();
    for value in values {
        let (name, value) = value.split_once('=').with_context(|| format!("expected name=value, found {value:?}"))?;
        given.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value)));
    }
    body.insert("values".into(), Value::Object(given));
    Ok(Value::Object(body))
}

async fn control(client: &Client, word: &str, act: &Act, take: Option<&str>) -> anyhow::Result<bool> {
    let request = client.request(Method::POST, &format!("/v1/executions/{}/{word}", act.execution));
    let request = request.json(&json!({"reason": act.reason, "take": take}));
    show(client, request, |body| println!("{} is {}", text(body, "id"), text(body, "status"))).await
}

async fn switch(client: &Client, word: &str, kill: &Kill) -> anyhow::Result<bool> {
    let path = match &kill.scope {
        scope if scope.all => format!("/v1/installation/{word}"),
        scope => match (&scope.execution, &scope.workflow) {
            (Some(execution), _) => format!("/v1/executions/{execution}/{word}"),
            (None, Some(workflow)) => format!("/v1/workflows/{workflow}/{word}"),
            (None, None) => bail!("say --execution, --workflow or --all"),
        },
    };
    let request = client.request(Method::POST, &path).json(&json!({"reason": kill.reason}));
    show(client, request, |_| println!("{}", if word == "kill" { "killed" } else { "lifted" })).await
}

fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn items(body: &Value) -> impl Iterator<Item = &Value> {
    body.get("items").and_then(Value::as_array).into_iter().flatten()
}

fn workflows(body: &Value) {
    let rows: Vec<_> = items(body)
        .map(|item| {
            vec![
                text(item, "id"),
                text(item, "active"),
                text(item, "revision"),
                text(item, "owner"),
                text(item, "name"),
            ]
        })
        .collect();
    print!("{}", table::render(&["workflow", "active", "revision", "owner", "name"], &rows));
}

fn executions(body: &Value) {
    let rows: Vec<_> = items(body)
        .map(|item| {
            vec![
                text(item, "id"),
                text(item, "workflow"),
                text(item, "status"),
                indicators(item),
                text(item, "created_at"),
            ]
        })
        .collect();
    print!("{}", table::render(&["execution", "workflow", "status", "indicators", "created"], &rows));
    if let Some(next) = body.get("next").and_then(Value::as_str) {
        println!("more: --cursor {next}");
    }
}

fn indicators(item: &Value) -> String {
    let words = item.get("indicators").and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

fn refusals(body: &Value) {
    let rows: Vec<_> = items(body)
        .map(|item| vec![text(item, "at"), text(item, "trigger"), text(item, "code"), text(item, "message")])
        .collect();
    print!("{}", table::render(&["at", "trigger", "code", "why"], &rows));
}

fn execution_page(body: &Value) {
    println!("{}  {}  {}  {}", text(body, "id"), text(body, "workflow"), text(body, "status"), indicators(body));
    let rows: Vec<_> = body.get("history").map(history_rows).unwrap_or_default();
    print!("{}", table::render(HISTORY, &rows));
}

/// The columns of a history table.
pub(crate) const HISTORY: &[&str] = &["seq", "step", "type", "status", "branch", "attempt", "what"];

/// The rows of a history table.
pub(crate) fn history_rows(history: &Value) -> Vec<Vec<String>> {
    let rows = history.as_array().or_else(|| history.get("items")?.as_array());
    rows.into_iter().flatten().map(history_row).collect()
}

fn history_row(row: &Value) -> Vec<String> {
    let step = if row.get("step").is_some() { text(row, "step") } else { format!("({})", text(row, "kind")) };
    vec![
        text(row, "seq"),
        step,
        text(row, "step_type"),
        text(row, "status"),
        text(row, "branch"),
        text(row, "attempt"),
        what(row),
    ]
}

/// What happened, in one line.
pub(crate) fn what(row: &Value) -> String {
    let error = row.get("error").filter(|error| !error.is_null());
    let said = match (error, text(row, "note")) {
        (Some(error), _) => format!("{}: {}", text(error, "code"), text(error, "message")),
        (None, note) if !note.is_empty() => note,
        (None, _) => text(row, "output"),
    };
    table::cut(&said, 90)
}
