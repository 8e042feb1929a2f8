//! Records: list, show and write.

mod by_unique;
mod filter;
mod forget;
mod history;
mod list;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use pawl_engine::{Record, Subject};
use pawl_runtime::RecordError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Problem;
use crate::body::Json;
use crate::describe::{ToSchema, operation};
use crate::problem::Sent;
use crate::request::{self, Actor, Route};
use crate::state::Api;
use crate::surface::Surface;

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface
        .on::<list::__path_list, _, _>(list::list)
        .on::<__path_create, _, _>(create)
        .on::<list::__path_find, _, _>(list::find)
        .on::<by_unique::__path_show_by, _, _>(by_unique::show_by)
        .on::<history::__path_list, _, _>(history::list)
        .on::<__path_show, _, _>(show)
        .on::<__path_replace, _, _>(replace)
        .on::<__path_change, _, _>(change)
        .on::<__path_archive, _, _>(archive)
        .on::<__path_unarchive, _, _>(unarchive)
        .on::<forget::__path_forget, _, _>(forget::forget)
}

/// A record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
struct RecordView {
    /// Record type.
    object: String,
    /// Id, unique in its object.
    id: String,
    /// Number of writes, from 1; the `ETag`.
    version: u64,
    /// Values by field, `owner`, `tags` and `stage` among them; empty ones are absent.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
    /// Time of creation.
    created_at: Timestamp,
    /// Time of the last change.
    updated_at: Timestamp,
    /// Since when it has been in the archive; absent if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<Timestamp>,
}

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        let Record { object, id, version, fields, created_at, updated_at, archived_at, .. } = record;
        Self { object, id, version, fields, created_at, updated_at, archived_at }
    }
}

fn answer(status: StatusCode, record: Record) -> Response {
    let tag = request::tag(record.version);
    (status, [(ETAG, tag)], axum::Json(RecordView::from(record))).into_response()
}

fn created(record: Record) -> Response {
    let location = format!("/v1/objects/{}/records/{}", record.object, record.id);
    let mut response = answer(StatusCode::CREATED, record);
    // An id that cannot stand in a header is told by the body alone.
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// A record to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRecord {
    /// Id; a new one if absent.
    id: Option<String>,
    /// Values by field.
    #[serde(default)]
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
}

/// Values of a record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// Values by field; null empties a field.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
}

/// Creates a record.
#[operation(
    post, path = "/v1/objects/{object}/records", tag = "records", operation_id = "create_record",
    params(("object" = String, Path, description = "Record type")), request_body(content = NewRecord),
    responses(
        (status = 201, body = RecordView, headers(("etag", description = "Version"), ("location", description = "Path"))),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 422, body = Sent)
    )
)]
async fn create(
    State(api): State<Arc<Api>>,
    Route(object): Route<String>,
    actor: Actor,
    Json(new): Json<NewRecord>,
) -> Result<Response, Problem> {
    api.core.ingest.room()?;
    Ok(created(api.core.records.create(&object, new.id, new.fields, actor.name()).await?))
}

/// Shows a record.
#[operation(
    get, path = "/v1/objects/{object}/records/{id}", tag = "records", operation_id = "show_record",
    params(("object" = String, Path, description = "Record type"), ("id" = String, Path, description = "Record")),
    responses((status = 200, body = RecordView, headers(("etag", description = "Version"))), (status = 404, body = Sent))
)]
async fn show(State(api): State<Arc<Api>>, Route((object, id)): Route<(String, String)>) -> Result<Response, Problem> {
    let record = api.core.records.get(&Subject { object, id }).await?;
    Ok(answer(StatusCode::OK, record))
}

/// Changes the named fields of a record. Writing the present values changes nothing.
#[operation(
    patch, path = "/v1/objects/{object}/records/{id}", tag = "records", operation_id = "change_record",
    params(
        ("object" = String, Path, description = "Record type"), ("id" = String, Path, description = "Record"),
        ("if-match" = Option<String>, Header, description = "Version that was read, quoted; `412` if the present version is another")
    ),
    request_body(content = Fields),
    responses(
        (status = 200, body = RecordView, headers(("etag", description = "Version"))),
        (status = 404, body = Sent), (status = 409, body = Sent), (status = 412, body = Sent), (status = 422, body = Sent)
    )
)]
async fn change(
    State(api): State<Arc<Api>>,
    Route((object, id)): Route<(String, String)>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<Fields>,
) -> Result<Response, Problem> {
    api.core.ingest.room()?;
    let read_at = request::read_at(&headers)?;
    let record = api.core.records.update(&Subject { object, id }, &body.fields, read_at, actor.name()).await?;
    Ok(answer(StatusCode::OK, record))
}

/// Replaces the fields of a record, or creates the record; fields that are not named are emptied.
#[operation(
    put, path = "/v1/objects/{object}/records/{id}", tag = "records", operation_id = "replace_record",
    params(
        ("object" = String, Path, description = "Record type"), ("id" = String, Path, description = "Record"),
        ("if-match" = Option<String>, Header, description = "Version that was read, quoted; `412` if the present version is another"),
        ("if-none-match" = Option<String>, Header, description = "`*`: only if none exists yet")
    ),
    request_body(content = Fields),
    responses(
        (status = 200, body = RecordView, headers(("etag", description = "Version"))),
        (status = 201, description = "Created", body = RecordView, headers(("etag", description = "Version"))),
        (status = 409, body = Sent), (status = 412, body = Sent), (status = 422, body = Sent)
    )
)]
async fn replace(
    State(api): State<Arc<Api>>,
    Route((object, id)): Route<(String, String)>,
    actor: Actor,
    headers: HeaderMap,
    Json(body): Json<Fields>,
) -> Result<Response, Problem> {
    api.core.ingest.room()?;
    let read_at = request::read_at(&headers)?;
    let subject = Subject { object, id };
    let before = match api.core.records.get(&subject).await {
        Ok(before) => before,
        Err(RecordError::NotFound(_)) if read_at.is_none_or(|read_at| read_at == 0) => {
            let made = api.core.records.create(&subject.object, Some(subject.id), body.fields, actor.name()).await?;
            return Ok(created(made));
        }
        Err(error) => return Err(error.into()),
    };
    // What is emptied was decided on this version: it must still be the one.
    let read_at = read_at.unwrap_or(before.version);
    let emptied = before.fields.into_iter().map(|(name, _)| (name, Value::Null));
    let fields: Map<String, Value> = emptied.chain(body.fields).collect();
    let record = api.core.records.update(&subject, &fields, Some(read_at), actor.name()).await?;
    Ok(answer(StatusCode::OK, record))
}

/// Puts a record into the archive: listings and searches do not find it any more, and its changes start nothing. It can be
/// read and written by its id. Repeating it changes nothing.
#[operation(
    post, path = "/v1/objects/{object}/records/{id}/archive", tag = "records", operation_id = "archive_record",
    params(("object" = String, Path, description = "Record type"), ("id" = String, Path, description = "Record")),
    responses(
        (status = 200, body = RecordView, headers(("etag", description = "Version"))),
        (status = 404, body = Sent), (status = 409, body = Sent)
    )
)]
async fn archive(state: State<Arc<Api>>, route: Route<(String, String)>, actor: Actor) -> Result<Response, Problem> {
    put_in_archive(state, route, actor, true).await
}

/// Takes a record out of the archive. Repeating it changes nothing.
#[operation(
    post, path = "/v1/objects/{object}/records/{id}/unarchive", tag = "records", operation_id = "unarchive_record",
    params(("object" = String, Path, description = "Record type"), ("id" = String, Path, description = "Record")),
    responses(
        (status = 200, body = RecordView, headers(("etag", description = "Version"))),
        (status = 404, body = Sent), (status = 409, body = Sent)
    )
)]
async fn unarchive(state: State<Arc<Api>>, route: Route<(String, String)>, actor: Actor) -> Result<Response, Problem> {
    put_in_archive(state, route, actor, false).await
}

async fn put_in_archive(
    State(api): State<Arc<Api>>,
    Route((object, id)): Route<(String, String)>,
    actor: Actor,
    is_archived: bool,
) -> Result<Response, Problem> {
    api.core.ingest.room()?;
    let record = api.core.records.archive(&Subject { object, id }, is_archived, actor.name()).await?;
    Ok(answer(StatusCode::OK, record))
}
