//! The commands that talk to an installation.

mod action;
mod action_view;
mod activities;
mod children;
mod deliver;
mod follow;
mod follow_many;
mod forget;
mod fork;
mod interaction;
mod list;
mod listed_view;
mod record;
mod rows;
mod schedule;
mod start;
mod step;
mod tell;
mod view;
mod whole_id;
mod why_not;
mod workflow;

use std::path::Path;

use anyhow::{Context, bail};
use pawl_definition::DefinitionKind;
use pawl_definition::json::{self, Bounds};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::args::{Kill, Look, Remote, Targets, WorkflowsOf};
use crate::client::{Answer, Client, explain};
use crate::coded::coded;
use crate::files;
use crate::output::{complain, say};
use crate::shown::lines;
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
        Remote::Start(start) => start::run(&client, &start).await,
        Remote::Signal { name, key, payload, idempotency_key } => {
            let payload = json::parse(payload.as_bytes(), &Bounds::OUTSIDE).context("the payload is no JSON")?;
            let request = post(format!("/v1/signals/{name}")).json(&json!({"key": key, "payload": payload}));
            let request = idempotency_key.iter().fold(request, |request, key| request.header("idempotency-key", key));
            show(&client, request, |body| say!("{}", view::signal(body))).await
        }
        Remote::Interaction(interaction) => interaction::run(&client, &interaction).await,
        Remote::Event { file, idempotency_key } => tell::event(&client, (&file, idempotency_key.as_deref())).await,
        Remote::MailEvents { file } => tell::mail_events(&client, &file).await,
        Remote::Deliver(deliver) => deliver::run(&client, &deliver).await,
        Remote::Activate { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/activate")), |_| say!("active")).await
        }
        Remote::Deactivate { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/deactivate")), |_| say!("inactive")).await
        }
        Remote::CloseBreaker { workflow } => {
            show(&client, post(format!("/v1/workflows/{workflow}/close-breaker")), |_| say!("closed")).await
        }
        Remote::Look(look) => self::look(&client, look).await,
        Remote::Pause(act) => control(&client, "pause", (&act.execution, &act.reason), None).await,
        Remote::Resume(targets) => controls(&client, "resume", &targets, None).await,
        Remote::Cancel(targets) => controls(&client, "cancel", &targets, None).await,
        Remote::Retry(targets) => controls(&client, "retry", &targets, None).await,
        Remote::Skip { targets, take } => controls(&client, "skip", &targets, take.as_deref()).await,
        Remote::Step(step) => step::run(&client, &step).await,
        Remote::Fork(fork) => fork::fork(&client, &fork).await,
        Remote::Rerun(again) => fork::rerun(&client, &again).await,
        Remote::Replay(replay) => fork::replay(&client, &replay).await,
        Remote::Kill(kill) => switch(&client, "kill", &kill).await,
        Remote::Lift(kill) => switch(&client, "lift", &kill).await,
        Remote::Archive(archive) => record::archive(&client, &archive.record, "archive").await,
        Remote::Unarchive(archive) => record::archive(&client, &archive.record, "unarchive").await,
        Remote::Forget(forget) => forget::run(&client, &forget).await,
        Remote::Redrive { reason, filter, pace } if filter.keys().is_empty() => {
            action::unused(&pace)?;
            let request = post("/v1/installation/redrive".to_owned()).json(&json!({"reason": reason}));
            show(&client, request, |body| say!("{}", view::redriven(body))).await
        }
        Remote::Redrive { reason, filter, pace } => {
            action::control(&client, "redrive", (&filter, reason.as_deref(), None), &pace).await
        }
    }
}

/// Shows what the installation has; `false` if it refused.
async fn look(client: &Client, command: Look) -> anyhow::Result<bool> {
    match command {
        Look::Workflows { one: Some(WorkflowsOf::Show { workflow, executions }), .. } => {
            workflow::run(client, &workflow, executions).await
        }
        Look::Workflows { limit, one: None } => list::workflows(client, limit).await,
        Look::Executions(which) if which.follow => follow_many::executions(client, &which).await,
        Look::Executions(which) => list::executions(client, &which).await,
        Look::Show { execution, follow: true, .. } => follow::execution(client, &execution).await,
        Look::Show { execution, all, .. } => execution_page(client, &execution, all).await,
        Look::Refusals { workflow, page } => list::refusals(client, &workflow, &page).await,
        Look::Objects => list::objects(client).await,
        Look::Records { rows: Some(rows), .. } => rows::run(client, &rows).await,
        Look::Records { which, rows: None } => list::records(client, &which).await,
        Look::Activities { one: Some(one), .. } => activities::run(client, &one).await,
        Look::Activities { which, one: None } => list::activities(client, &which).await,
        Look::Record(record) => record::run(client, &record).await,
        Look::WhyNot { record, workflow } => {
            let request = client.request(Method::GET, &format!("/v1/workflows/{workflow}/why-not"));
            show(client, request.query(&[("record", record)]), |body| say!("{}", why_not::view(body, &When::system())))
                .await
        }
        Look::Schedule { workflow, firings } => {
            let path = format!("/v1/workflows/{}/schedule", record::encoded(&workflow));
            let request = client.request(Method::GET, &path).query(&[("firings", firings)]);
            show(client, request, |body| say!("{}", schedule::view(body, &When::system()).trim_end())).await
        }
        Look::Operations(which) => list::operations(client, &which).await,
        Look::Operation(operation) => action::show(client, &operation).await,
        Look::Notices(page) => list::notices(client, &page).await,
        Look::Audit(page) => list::audit(client, &page).await,
        Look::Health => health(client).await,
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

/// Tells in sentences what a workflow of the installation does.
pub(crate) async fn describe(client: Client, workflow: &str) -> anyhow::Result<bool> {
    let request = client.request(Method::GET, &format!("/v1/workflows/{}/description", record::encoded(workflow)));
    show(&client, request, |body| say!("{}", lines(&text(body, "text")).trim_end())).await
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
    let forks = fork::of(client, execution).await?;
    if client.json {
        page["children"] = json!(children);
        page["forks"] = json!(forks);
        say!("{page}");
        return Ok(true);
    }
    let when = When::system();
    say!("{}", view::execution(&page, &when).trim_end());
    if !children.is_empty() {
        say!("\n{}", children::tree(&children));
    }
    if !forks.is_empty() {
        say!("\n{}", fork::lines(&forks));
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
    let mut found = files::some(paths, &files::of_language())?;
    // Objects first: the others are checked against them.
    found.sort_by_key(|path| files::rank(path));
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
            Answer::Done(body) => say!("{}: {}", path.display(), saved(&body, files::definition_kind(&path))),
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

/// What a save came to.
fn saved(body: &Value, kind: Option<DefinitionKind>) -> String {
    let Some(kind) = kind else { return view::saved(body) };
    let word = kind.word();
    format!("{word} {} revision {} saved{}", text(body, word), text(body, "revision"), view::warnings(body))
}

/// Where a file is saved.
fn target(path: &Path, text: &str) -> anyhow::Result<String> {
    if is_workflow(path) {
        return Ok("/v1/workflows".to_owned());
    }
    let source = pawl_definition::Source::parse(&path.display().to_string(), text);
    let kind = files::definition_kind(path);
    let (word, plural) = kind.map_or(("object", "objects"), |kind| (kind.word(), kind.plural()));
    let id = source.ok().and_then(|source| match kind {
        Some(kind) => kind.id_of(&source.value).map(str::to_owned),
        None => source.value.get(word)?.as_str().map(str::to_owned),
    });
    let id = id.with_context(|| format!("{}: expected an id under `{word}`", path.display()))?;
    Ok(format!("/v1/{plural}/{id}"))
}

async fn control(
    client: &Client,
    word: &str,
    (execution, reason): (&str, &Option<String>),
    take: Option<&str>,
) -> anyhow::Result<bool> {
    let request = client.request(Method::POST, &format!("/v1/executions/{execution}/{word}"));
    let request = request.json(&json!({"reason": reason, "take": take}));
    show(client, request, |body| say!("{} is {}", text(body, "id"), text(body, "status"))).await
}

/// Controls one execution, or those of a filter. Neither of both never means all.
async fn controls(client: &Client, word: &str, targets: &Targets, take: Option<&str>) -> anyhow::Result<bool> {
    let Targets { execution, reason, filter, pace } = targets;
    match (execution, filter.keys().is_empty()) {
        (Some(execution), true) => {
            action::unused(pace)?;
            control(client, word, (execution, reason), take).await
        }
        (None, false) => action::control(client, word, (filter, reason.as_deref(), take), pace).await,
        (Some(_), false) => Err(coded("bad_filter", "expected an execution or a filter, found both")),
        (None, true) => {
            let detail = "expected an execution, or a filter with at least one key such as --workflow or --code; \
                          found neither, which does not mean all executions";
            Err(coded("empty_filter", detail))
        }
    }
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
