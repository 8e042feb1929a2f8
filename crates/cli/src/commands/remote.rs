//! The commands that talk to an installation.

mod children;
mod deliver;
mod forget;
mod list;
mod view;
mod whole_id;

use std::path::Path;

use anyhow::{Context, bail};
use pawl_definition::json::{self, Bounds};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::args::{Act, Kill, Remote};
use crate::client::{Answer, Client, explain};
use crate::files;
use crate::output::{complain, say};
use crate::when::When;
use view::text;
use whole_id::Whole;

pub(crate) use view::{HISTORY, history_rows, what};

/// Carries a command out; `false` if the installation refused.
pub(crate) async fn run(mut command: Remote, client: Client) -> anyhow::Result<bool> {
    if let Some(execution) = command.execution_mut() {
        match whole_id::of(&client, execution).await? {
            Whole::Id(whole) => *execution = whole,
            Whole::Refused(problem) => return Ok(refused(&client, &problem)),
        }
    }
    let post = |path: String| client.request(Method::POST, &path);
    match command {
        Remote::Apply { files, if_match } => apply(&client, &files, if_match).await,
        Remote::Start { workflow, record, values, idempotency_key } => {
            let request =
                post(format!("/v1/workflows/{workflow}/start")).json(&start_body(record.as_deref(), &values)?);
            let request = idempotency_key.iter().fold(request, |request, key| request.header("idempotency-key", key));
            show(&client, request, |body| say!("{}", started(body))).await
        }
        Remote::Signal { name, key, payload, idempotency_key } => {
            let payload = json::parse(payload.as_bytes(), &Bounds::OUTSIDE).context("the payload is no JSON")?;
            let request = post(format!("/v1/signals/{name}")).json(&json!({"key": key, "payload": payload}));
            let request = idempotency_key.iter().fold(request, |request, key| request.header("idempotency-key", key));
            show(&client, request, |body| say!("{}", view::signal(body))).await
        }
        Remote::Deliver(deliver) => deliver::run(&client, &deliver).await,
        Remote::Workflows { limit } => list::workflows(&client, limit).await,
        Remote::Activate { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/activate")), |_| say!("active")).await
        }
        Remote::Deactivate { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/deactivate")), |_| say!("inactive")).await
        }
        Remote::CloseBreaker { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/close-breaker")), |_| say!("closed")).await
        }
        Remote::Executions(which) => list::executions(&client, &which).await,
        Remote::Show { execution, all } => execution_page(&client, &execution, all).await,
        Remote::Refusals { workflow, page } => list::refusals(&client, &workflow, &page).await,
        Remote::Pause(act) => control(&client, "pause", &act, None).await,
        Remote::Resume(act) => control(&client, "resume", &act, None).await,
        Remote::Cancel(act) => control(&client, "cancel", &act, None).await,
        Remote::Retry(act) => control(&client, "retry", &act, None).await,
        Remote::Skip { act, take } => control(&client, "skip", &act, take.as_deref()).await,
        Remote::Kill(kill) => switch(&client, "kill", &kill).await,
        Remote::Lift(kill) => switch(&client, "lift", &kill).await,
        Remote::Forget(forget) => forget::run(&client, &forget).await,
        Remote::Operation { operation } => {
            let request = client.request(Method::GET, &format!("/v1/operations/{operation}"));
            show(&client, request, |body| say!("{}", view::operation(body, &When::system()))).await
        }
        Remote::Health => health(&client).await,
        Remote::Redrive { reason } => {
            let request = post("/v1/installation/redrive".to_owned()).json(&json!({"reason": reason}));
            show(&client, request, |body| say!("{}", view::redriven(body))).await
        }
    }
}

/// Sends, and prints what came: as JSON, or by the command's own view.
async fn show(client: &Client, request: RequestBuilder, view: impl Fn(&Value)) -> anyhow::Result<bool> {
    match client.send(request).await? {
        Answer::Done(body) if client.json => say!("{body}"),
        Answer::Done(body) => view(&body),
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    }
    Ok(true)
}

/// Says whether the installation is in service, which it tells everybody.
async fn health(client: &Client) -> anyhow::Result<bool> {
    let body = match client.send_unauthorized(client.request(Method::GET, "/v1/health")).await? {
        Answer::Done(body) | Answer::Problem(body) => body,
    };
    let is_well = text(&body, "status") == "ok";
    if client.json {
        say!("{body}");
    } else if is_well {
        say!("ok, version {}", text(&body, "version"));
    } else {
        say!("{}: {}", text(&body, "status"), text(&body, "reason"));
    }
    Ok(is_well)
}

/// Says why the installation refused.
fn refused(client: &Client, problem: &Value) -> bool {
    if client.json {
        say!("{problem}");
    } else {
        explain(problem);
    }
    false
}

/// Shows an execution with its whole history, which may come in several pages.
async fn execution_page(client: &Client, execution: &str, all: bool) -> anyhow::Result<bool> {
    let mut page = match whole_page(client, execution).await? {
        Answer::Done(page) => page,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    };
    let children = children::of(client, execution).await?;
    if client.json {
        page["children"] = json!(children);
        say!("{page}");
        return Ok(true);
    }
    let when = When::system();
    say!("{}", view::execution(&page, &when).trim_end());
    if !children.is_empty() {
        say!("\n{}", children::tree(&children));
    }
    for child in children::flat(&children).into_iter().filter(|_| all) {
        if let Answer::Done(page) = whole_page(client, &child).await? {
            say!("\n{}", view::execution(&page, &when).trim_end());
        }
    }
    Ok(true)
}

/// An execution with its whole history.
async fn whole_page(client: &Client, execution: &str) -> anyhow::Result<Answer> {
    let path = format!("/v1/executions/{execution}");
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let query: Vec<_> = cursor.iter().map(|cursor| ("cursor", cursor)).collect();
        let mut page = match client.send(client.request(Method::GET, &path).query(&query)).await? {
            Answer::Done(page) => page,
            problem @ Answer::Problem(_) => return Ok(problem),
        };
        if let Some(items) = page.pointer("/history/items").and_then(Value::as_array) {
            rows.extend(items.iter().cloned());
        }
        cursor = page.pointer("/history/next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            page["history"] = json!({"items": rows});
            return Ok(Answer::Done(page));
        }
    }
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
        match client.send(request).await? {
            Answer::Done(body) if client.json => say!("{body}"),
            Answer::Done(body) => say!("{}: {}", path.display(), view::saved(&body)),
            Answer::Problem(problem) => {
                if !client.json {
                    complain!("{}:", path.display());
                }
                right = refused(client, &problem);
            }
        }
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
        given.insert(name.to_owned(), given_value(name, value)?);
    }
    body.insert("values".into(), Value::Object(given));
    Ok(Value::Object(body))
}

/// A value as it is written: JSON, or a text. A text may be long digits; JSON beyond the bounds is meant as JSON.
fn given_value(name: &str, written: &str) -> anyhow::Result<Value> {
    match json::parse(written.as_bytes(), &Bounds::OUTSIDE) {
        Ok(value) => Ok(value),
        Err(error) if matches!(error.code(), Some("value_too_deep" | "value_too_large")) => {
            bail!("expected the value of {name} within bounds, found {error}")
        }
        Err(_) => Ok(json!(written)),
    }
}

async fn control(client: &Client, word: &str, act: &Act, take: Option<&str>) -> anyhow::Result<bool> {
    let request = client.request(Method::POST, &format!("/v1/executions/{}/{word}", act.execution));
    let request = request.json(&json!({"reason": act.reason, "take": take}));
    show(client, request, |body| say!("{} is {}", text(body, "id"), text(body, "status"))).await
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
    show(client, request, |body| say!("{}", view::switched(word, body))).await
}

/// What a start came to.
fn started(answer: &Value) -> String {
    match answer.get("debounced") {
        Some(_) => {
            format!("accepted as event {}; it starts one execution together with others", text(answer, "event_id"))
        }
        None => format!("started {}", text(answer, "execution_id")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_within_bounds_or_a_text() {
        let given = |value: &str| start_body(None, &[format!("x={value}")]).map(|body| body["values"]["x"].clone());
        for (written, expected) in [
            ("7", json!(7)),
            (r#"{"a": [1]}"#, json!({"a": [1]})),
            ("a=b", json!("a=b")),
            ("[open", json!("[open")),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
        ] {
            assert_eq!(given(written).ok(), Some(expected), "{written}");
        }
        let deep = given(&format!("{}{}", "[".repeat(65), "]".repeat(65))).expect_err("it is too deep").to_string();
        assert!(deep.starts_with("expected the value of x within bounds, found more than 64 levels"), "{deep}");
        let many = given(&format!("[{}0]", "0,".repeat(250_001))).expect_err("it is too large").to_string();
        assert!(many.starts_with("expected the value of x within bounds, found more than 250000 values"), "{many}");
    }
}
