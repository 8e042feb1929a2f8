//! How tracked actions begin: on executions of a filter, and on records that a workflow starts on.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use pawl_engine::fields;
use pawl_runtime::{ActionLimits, Controls, NewAction, Selection, StartRecords, Starts, Task, Verb};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::view::OperationView;
use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::executions::filter::{self, Keys};
use crate::executions::path;
use crate::problem::Sent;
use crate::request::{self, Actor, Route};
use crate::state::Api;
use crate::{Code, Problem, workflows};

/// Most executions that a filter names by their ids.
const IDS_MOST: usize = 1_000;

/// The filter of an action: the keys of the listing of executions, at least one of them.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ActionFilter)]
#[serde(deny_unknown_fields)]
struct FilterBody {
    /// These executions, by id; 1 to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    ids: Option<Vec<String>>,
    /// Executions of this workflow.
    workflow: Option<String>,
    /// Executions on this record, `<object>/<id>`.
    record: Option<String>,
    /// Executions in one of these states, separated by commas. If absent, `retry`, `skip` and `resume` look at paused
    /// executions, `cancel` at open ones, and `redrive` at open ones that are not paused.
    status: Option<String>,
    /// Executions at this step.
    step: Option<String>,
    /// Executions with a failure of this code.
    code: Option<String>,
    /// Executions with this indicator: `throttled`, `stalled`, `killed`, `has_failures` or `over_budget`.
    indicator: Option<String>,
    /// Executions with this outcome: `reached`, `not_reached` or `unknown`.
    outcome: Option<String>,
    /// Executions created at this time or later: RFC 3339, or a date, which begins at midnight in UTC.
    since: Option<String>,
    /// Executions created before this time: RFC 3339, or a date, which begins at midnight in UTC.
    until: Option<String>,
    /// Executions created longer ago than this, such as `2h` or `7d`.
    older_than: Option<String>,
}

impl FilterBody {
    fn keys(&self) -> Keys<'_> {
        Keys {
            id: None,
            workflow: self.workflow.as_deref(),
            record: self.record.as_deref(),
            status: self.status.as_deref(),
            step: self.step.as_deref(),
            code: self.code.as_deref(),
            indicator: self.indicator.as_deref(),
            outcome: self.outcome.as_deref(),
            since: self.since.as_deref(),
            until: self.until.as_deref(),
            older_than: self.older_than.as_deref(),
        }
    }
}

/// What an action does to the executions of a filter.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAction)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    /// `retry`, `resume`, `cancel`, `skip`, or `redrive`: stalled executions go on.
    action: String,
    /// Which executions: at least one key. No filter is refused, so that a forgotten one never means all.
    #[schema(value_type = FilterBody)]
    filter: Option<FilterBody>,
    /// The path to take, `yes` or `no`, if a skipped step has two.
    take: Option<String>,
    #[serde(flatten)]
    how: How,
}

/// How an action goes, and who began it.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ActionOptions)]
struct How {
    /// Most executions a second, on average, 1–1,000; 50 if absent.
    #[schema(minimum = 1, maximum = 1000)]
    rate: Option<u32>,
    /// Most executions at a time, 1–50; 8 if absent.
    #[schema(minimum = 1, maximum = 50)]
    concurrency: Option<u32>,
    /// Only counts: how many executions, with examples, failures and refusals. `POST /v1/operations/{id}/run` runs it then.
    #[serde(default)]
    preview: bool,
    /// Reason in words, for the history and the audit.
    reason: Option<String>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
}

/// Records to start a workflow on: those for which an expression is true, those of a group, or those that are listed.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewStarts)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// An expression over `record`: the workflow starts on the records of its object for which it is true.
    r#where: Option<String>,
    /// A group of the workflow's object: the workflow starts on the records that belong to it.
    group: Option<String>,
    /// Ids of records, 1 to 10,000.
    #[schema(min_items = 1, max_items = 10000)]
    records: Option<Vec<String>>,
    /// Values of variables, by name, for each start.
    #[serde(default)]
    #[schema(value_type = Object)]
    values: Map<String, Value>,
    #[serde(flatten)]
    how: How,
}

/// Begins a tracked action on executions: it counts whom it concerns, then acts on them one by one, each at most once. The
/// action goes on after the answer, also if processes die. With an `Idempotency-Key`, a repeat begins nothing.
#[operation(
    post, path = "/v1/operations", tag = "operations", operation_id = "begin_action",
    params(("idempotency-key" = Option<String>, Header, description = "Identifies the request; a repeat begins nothing")),
    request_body(content = Begin),
    responses(
        (status = 202, description = "Begun, durably", body = OperationView),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 422, body = Sent)
    )
)]
pub(super) async fn begin(
    State(api): State<Arc<Api>>,
    actor: Actor,
    headers: HeaderMap,
    Json(begin): Json<Begin>,
) -> Result<(StatusCode, axum::Json<OperationView>), Problem> {
    let Begin { action, filter, take, how } = begin;
    let verb = verb(&action, take.as_deref())?;
    let selection = selection(&api, filter.as_ref()).await?;
    let task = Task::Control(Controls { verb, selection });
    send(&api, (task, Vec::new()), (actor, how), &headers).await
}

/// Begins a tracked action that starts a workflow on many records, each at most once. With an `Idempotency-Key`, a repeat
/// begins nothing.
#[operation(
    post, path = "/v1/workflows/{id}/starts", tag = "operations", operation_id = "start_on_records",
    params(
        ("id" = String, Path, description = "Workflow"),
        ("idempotency-key" = Option<String>, Header, description = "Identifies the request; a repeat begins nothing")
    ),
    request_body(content = Start),
    responses(
        (status = 202, description = "Begun, durably", body = OperationView),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 422, body = Sent)
    )
)]
pub(super) async fn start(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    headers: HeaderMap,
    Json(start): Json<Start>,
) -> Result<(StatusCode, axum::Json<OperationView>), Problem> {
    let Start { r#where: condition, group, records, values, how } = start;
    let (_, plan) = api.core.workflows.in_force(&id).await?.ok_or_else(|| workflows::unknown(&id))?;
    let Some(object) = plan.workflow.object.clone() else {
        let detail = "expected a workflow that runs on records: this one runs on none, for it has no `object`";
        return Err(Problem::new(Code::RecordNotExpected, detail));
    };
    let values = workflows::values(&plan, values)?;
    let (records, listed) = match (condition, group, records) {
        (Some(source), None, None) => (StartRecords::Where(source), Vec::new()),
        (None, Some(group), None) => (of_group(&api, group, &object).await?, Vec::new()),
        (None, None, Some(ids)) => {
            let ids = once(ids)?;
            (StartRecords::listed(&ids), ids)
        }
        (None, None, None) => return Err(empty("records")),
        _ => {
            let detail = "expected one of where, group and records, found several";
            return Err(Problem::new(Code::BadFilter, detail).at("records"));
        }
    };
    let task = Task::Start(Starts { workflow: id, object, records, values });
    send(&api, (task, listed), (actor, how), &headers).await
}

/// The records of a group, as it is now.
async fn of_group(api: &Api, id: String, object: &str) -> Result<StartRecords, Problem> {
    let objects = api.core.workflows.objects().await?;
    objects.require_definitions().map_err(pawl_runtime::Error::from)?;
    let Some(group) = objects.definitions.groups.get(&id) else {
        return Err(Problem::new(Code::NoDefinition, format!("there is no group {id:?}")).at("group"));
    };
    if group.object != object {
        let detail =
            format!("expected a group of {object:?}, as the workflow runs on it, found one of {:?}", group.object);
        return Err(Problem::new(Code::BadFilter, detail).at("group"));
    }
    Ok(StartRecords::Group { test: group.test.source().to_owned(), group: id })
}

async fn send(
    api: &Api,
    (task, listed): (Task, Vec<String>),
    (actor, how): (Actor, How),
    headers: &HeaderMap,
) -> Result<(StatusCode, axum::Json<OperationView>), Problem> {
    let limits = limits(&how)?;
    let key = request::idempotency_key(headers)?;
    let by = actor.or(how.actor)?.act(how.reason, api.core.ingest.now())?;
    let new = NewAction { task, listed, by, limits, awaits_run: how.preview, key };
    let operation = api.core.operations.begin_action(new).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(operation.into())))
}

fn verb(action: &str, take: Option<&str>) -> Result<Verb, Problem> {
    let verb = match action {
        "retry" => Verb::Retry,
        "resume" => Verb::Resume,
        "cancel" => Verb::Cancel,
        "skip" => Verb::Skip { take: path(take)? },
        "redrive" => Verb::Redrive,
        other => {
            let detail = format!("expected action as one of retry, resume, cancel, skip, redrive, found {other:?}");
            return Err(Problem::new(Code::BodyMalformed, detail).at("action"));
        }
    };
    match (verb, take) {
        (Verb::Skip { .. }, _) | (_, None) => Ok(verb),
        (_, Some(_)) => {
            let detail = format!("expected no take: {action} takes no path");
            Err(Problem::new(Code::BodyMalformed, detail).at("take"))
        }
    }
}

/// The executions of an action. A filter without a key would mean all of them, and a list without an id was perhaps meant to
/// have some: both are refused.
async fn selection(api: &Api, filter: Option<&FilterBody>) -> Result<Selection, Problem> {
    let Some(filter) = filter else { return Err(empty("filter")) };
    let mut selection = filter::selection(filter.keys(), api.core.ingest.now())
        .map_err(|problem| Problem::new(Code::BadFilter, problem.detail()).at("filter"))?;
    match &filter.ids {
        Some(ids) if ids.is_empty() => return Err(empty("filter.ids")),
        Some(ids) => selection.ids = named(ids)?,
        None => {}
    }
    if selection.is_empty() {
        return Err(empty("filter"));
    }
    filter::there(api, &selection).await?;
    Ok(selection)
}

fn empty(path: &str) -> Problem {
    let detail = match path {
        "filter" => "expected a filter with at least one key, such as workflow or code, found none",
        "filter.ids" => "expected at least one id, found none: an empty list does not mean all executions",
        _ => "expected where, group, or records with at least one id, found none: nothing does not mean all records",
    };
    Problem::new(Code::EmptyFilter, detail).at(path)
}

/// Ids of executions, each once.
fn named(ids: &[String]) -> Result<Vec<String>, Problem> {
    if ids.len() > IDS_MOST {
        let detail = format!("expected at most {IDS_MOST} ids, found {}", ids.len());
        return Err(Problem::new(Code::BadFilter, detail).at("filter.ids"));
    }
    if let Some(wrong) = ids.iter().find(|id| !id.starts_with("exe_") || !fields::is_key(id)) {
        let detail = format!("expected ids of executions such as exe_1b24…, found {wrong:?}");
        return Err(Problem::new(Code::BadFilter, detail).at("filter.ids"));
    }
    let mut seen = BTreeSet::new();
    Ok(ids.iter().filter(|id| seen.insert(*id)).cloned().collect())
}

/// Ids of records, each once.
fn once(ids: Vec<String>) -> Result<Vec<String>, Problem> {
    if ids.is_empty() {
        return Err(empty("records"));
    }
    if let Some(wrong) = ids.iter().find(|id| !fields::is_key(id)) {
        let detail = format!("expected ids of records, found {wrong:?}");
        return Err(Problem::new(Code::BadFilter, detail).at("records"));
    }
    let mut seen = BTreeSet::new();
    Ok(ids.into_iter().filter(|id| seen.insert(id.clone())).collect())
}

fn limits(how: &How) -> Result<ActionLimits, Problem> {
    let default = ActionLimits::default();
    let within = |name: &str, asked: Option<u32>, default: u32, most: u32| match asked {
        None => Ok(default),
        Some(number) if (1..=most).contains(&number) => Ok(number),
        Some(number) => {
            let detail = format!("expected {name} from 1 to {most}, found {number}");
            Err(Problem::new(Code::BodyMalformed, detail).at(name))
        }
    };
    Ok(ActionLimits {
        rate: within("rate", how.rate, default.rate, ActionLimits::RATE_MOST)?,
        concurrency: within("concurrency", how.concurrency, default.concurrency, ActionLimits::CONCURRENCY_MOST)?,
    })
}
