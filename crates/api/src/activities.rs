//! Activities about records: list, show, make, log and cancel.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use pawl_engine::{ActivityStatus, RecordActivity, Subject};
use pawl_runtime::{ActivityError, ActivityFilter, NewRecordActivity};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::body::Json;
use crate::describe::{IntoParams, ToSchema, operation};
use crate::page::{Listing, Paging, Walk};
use crate::problem::{Mistake, Sent};
use crate::request::{Actor, Params, Route};
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface
        .on::<__path_list, _, _>(list)
        .on::<__path_create, _, _>(create)
        .on::<__path_show, _, _>(show)
        .on::<__path_log, _, _>(log)
        .on::<__path_cancel, _, _>(cancel)
        .on::<__path_reschedule, _, _>(reschedule)
}

/// An activity about records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activity)]
struct ActivityView {
    /// Id.
    id: String,
    /// Its type.
    activity: String,
    /// `open`, `logged` or `canceled`.
    #[schema(value_type = String)]
    status: ActivityStatus,
    /// When it is due; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// The member who has to do it, or did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    /// When it was logged or canceled.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// The actor who logged or canceled it; absent if an execution did.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_by: Option<String>,
    /// Note for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Values by field of its type.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// Ids of the records that it is about, by object.
    records: BTreeMap<String, String>,
    /// Time of creation.
    created_at: String,
    /// The actor who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    /// The execution that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<String>,
}

impl From<RecordActivity> for ActivityView {
    fn from(activity: RecordActivity) -> Self {
        Self {
            id: activity.id,
            activity: activity.activity,
            status: activity.status,
            due: activity.due.map(|at| at.to_string()),
            assignee: activity.assignee,
            ended_at: activity.ended_at.map(|at| at.to_string()),
            ended_by: activity.ended_by,
            note: activity.note,
            fields: activity.fields,
            records: activity.records.into_iter().map(|record| (record.object, record.id)).collect(),
            created_at: activity.created_at.to_string(),
            created_by: activity.created_by,
            execution: activity.execution,
        }
    }
}

/// Which activities, in a query.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only those about this record, `<object>/<id>`.
    record: Option<String>,
    /// Only those of this member.
    assignee: Option<String>,
    /// Only those of this type.
    activity: Option<String>,
    /// Only those that are `open`, `logged` or `canceled`.
    status: Option<String>,
    /// Most entries, 1–200; 50 if absent. A page may have fewer although more follow.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the previous page.
    cursor: Option<String>,
}

impl Which {
    fn filter(&self) -> Result<ActivityFilter, Problem> {
        Ok(ActivityFilter {
            record: self.record.as_deref().map(subject).transpose()?,
            assignee: self.assignee.clone(),
            activity: self.activity.clone(),
            status: self.status.as_deref().map(status).transpose()?,
        })
    }
}

fn subject(text: &str) -> Result<Subject, Problem> {
    let parts = text.split_once('/').filter(|(object, id)| !object.is_empty() && !id.is_empty());
    let bad = || Problem::new(Code::BadQuery, format!("expected record as <object>/<id>, found {text:?}"));
    parts.map(|(object, id)| Subject { object: object.to_owned(), id: id.to_owned() }).ok_or_else(bad)
}

fn status(word: &str) -> Result<ActivityStatus, Problem> {
    let mut all = [ActivityStatus::Open, ActivityStatus::Logged, ActivityStatus::Canceled].into_iter();
    let bad = || Problem::new(Code::BadQuery, format!("expected status open, logged or canceled, found {word:?}"));
    all.find(|status| status.word() == word).ok_or_else(bad)
}

/// An activity to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewActivity {
    /// Id; a new one if absent.
    id: Option<String>,
    /// Its type.
    activity: String,
    /// When it is due: a date (its end, in UTC), a date and time, or a length of time from now such as `2d`; never if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    due: Value,
    /// The member who has to do it, or did it.
    assignee: Option<String>,
    /// Note for people.
    note: Option<String>,
    /// Values by field of its type.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// Ids of the records that it is about, by object: at least one.
    records: BTreeMap<String, String>,
    /// It is done already.
    #[serde(default)]
    logged: bool,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
}

/// How an activity is logged.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Log {
    /// Note for people, in place of the present one.
    note: Option<String>,
    /// Values by field that change; null empties a field.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
}

/// How an activity is canceled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CancelActivity {
    /// Note for people, in place of the present one.
    note: Option<String>,
    /// The actor, if the server does not know the sender: the same as the header `x-pawl-actor`.
    actor: Option<String>,
}

/// When an activity is due.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reschedule {
    /// A date (its end, in UTC), a date and time, or a length of time from now such as `2d`; null: it is never due.
    #[schema(value_type = Option<String>)]
    due: Value,
}

/// Lists activities. Of a record or a member the open ones come first, by the time at which they are due, then the others in the
/// order in which they ended; otherwise the newest come first.
#[operation(
    get, path = "/v1/activities", tag = "activities", operation_id = "list_activities", params(Which),
    responses((status = 200, body = Listing<ActivityView>), (status = 400, body = Sent))
)]
async fn list(
    State(api): State<Arc<Api>>,
    Params(which): Params<Which>,
) -> Result<axum::Json<Listing<ActivityView>>, Problem> {
    let filter = which.filter()?;
    let mut walk = Walk::of(format!("activities {filter:?}"), &Paging { limit: which.limit, cursor: which.cursor })?;
    let (limit, after) = (walk.limit, walk.after());
    match api.core.record_activities.list(&filter, limit, after).await {
        Err(ActivityError::Failed(error)) => Err(walk.problem(error)),
        found => Ok(axum::Json(walk.page(found?, ActivityView::from))),
    }
}

/// Makes an activity, open or done already.
#[operation(
    post, path = "/v1/activities", tag = "activities", operation_id = "create_activity",
    params(("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")),
    request_body(content = NewActivity),
    responses(
        (status = 201, body = ActivityView, headers(("location", description = "Path"))),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 422, body = Sent)
    )
)]
async fn create(State(api): State<Arc<Api>>, actor: Actor, Json(new): Json<NewActivity>) -> Result<Response, Problem> {
    api.core.ingest.room()?;
    let NewActivity { id, activity, due, assignee, note, fields, records, logged, actor: named } = new;
    let actor = actor.or(named)?;
    let records = records.into_iter().map(|(object, id)| Subject { object, id }).collect();
    let new = NewRecordActivity { id, activity, due, assignee, note, fields, records, logged };
    let made = api.core.record_activities.create(new, actor.name()).await?;
    let location = format!("/v1/activities/{}", made.id);
    let mut response = (StatusCode::CREATED, axum::Json(ActivityView::from(made))).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Shows an activity.
#[operation(
    get, path = "/v1/activities/{id}", tag = "activities", operation_id = "show_activity",
    params(("id" = String, Path, description = "Activity")),
    responses((status = 200, body = ActivityView), (status = 404, body = Sent))
)]
async fn show(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<axum::Json<ActivityView>, Problem> {
    Ok(axum::Json(api.core.record_activities.get(&id).await?.into()))
}

/// Logs an open activity: it is done. Repeating it changes nothing.
#[operation(
    post, path = "/v1/activities/{id}/log", tag = "activities", operation_id = "log_activity",
    params(
        ("id" = String, Path, description = "Activity"),
        ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
    ),
    request_body(content = Log),
    responses(
        (status = 200, body = ActivityView), (status = 404, body = Sent),
        (status = 409, description = "It is canceled", body = Sent), (status = 422, body = Sent)
    )
)]
async fn log(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    Json(log): Json<Log>,
) -> Result<axum::Json<ActivityView>, Problem> {
    let actor = actor.or(log.actor)?;
    end(&api, (&id, ActivityStatus::Logged), (log.note, log.fields), &actor).await
}

/// Cancels an open activity: it is not to be done any more. Repeating it changes nothing.
#[operation(
    post, path = "/v1/activities/{id}/cancel", tag = "activities", operation_id = "cancel_activity",
    params(
        ("id" = String, Path, description = "Activity"),
        ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
    ),
    request_body(content = CancelActivity),
    responses(
        (status = 200, body = ActivityView), (status = 404, body = Sent),
        (status = 409, description = "It is logged", body = Sent), (status = 422, body = Sent)
    )
)]
async fn cancel(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    Json(cancel): Json<CancelActivity>,
) -> Result<axum::Json<ActivityView>, Problem> {
    let actor = actor.or(cancel.actor)?;
    end(&api, (&id, ActivityStatus::Canceled), (cancel.note, Map::new()), &actor).await
}

/// Moves the time at which an open activity is due. Repeating it with the same time changes nothing.
#[operation(
    post, path = "/v1/activities/{id}/reschedule", tag = "activities", operation_id = "reschedule_activity",
    params(("id" = String, Path, description = "Activity")),
    request_body(content = Reschedule),
    responses(
        (status = 200, body = ActivityView), (status = 404, body = Sent),
        (status = 409, description = "It has ended", body = Sent), (status = 422, body = Sent)
    )
)]
async fn reschedule(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Json(Reschedule { due }): Json<Reschedule>,
) -> Result<axum::Json<ActivityView>, Problem> {
    api.core.ingest.room()?;
    Ok(axum::Json(api.core.record_activities.reschedule(&id, &due).await?.into()))
}

async fn end(
    api: &Api,
    (id, status): (&str, ActivityStatus),
    values: (Option<String>, Map<String, Value>),
    actor: &Actor,
) -> Result<axum::Json<ActivityView>, Problem> {
    api.core.ingest.room()?;
    Ok(axum::Json(api.core.record_activities.end(id, status, values, actor.name()).await?.into()))
}

impl From<ActivityError> for Problem {
    fn from(error: ActivityError) -> Self {
        let detail = error.to_string();
        match error {
            ActivityError::UnknownType(_) => Self::new(Code::NoDefinition, detail),
            ActivityError::NotFound(_) => Self::new(Code::NoActivity, detail),
            ActivityError::NoRecord(_) => Self::new(Code::NoRecord, detail),
            ActivityError::Invalid(error) => {
                Self::new(Code::InvalidActivity, detail).listing(vec![Mistake::placed(&error)])
            }
            ActivityError::Ended(_) => Self::new(Code::ActivityEnded, detail),
            ActivityError::Duplicate => Self::new(Code::DuplicateActivity, detail),
            ActivityError::Failed(error) => error.into(),
        }
    }
}
