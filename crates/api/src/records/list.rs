//! The listing of records.

use std::sync::Arc;

use axum::extract::State;
use pawl_definition::json::{self, Bounds};
use pawl_engine::{Found, Record};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{RecordView, filter};
use crate::body::Json;
use crate::describe::{IntoParams, ToSchema, operation};
use crate::page::{self, Listing, Paging, Walk};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// How far pages of a filtered listing reach: it is read anew for each of them.
const REACH: usize = 10_000;

/// Which records, in a query.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Tests as JSON, all of which must hold: `{"priority": "high", "amount": {"gte": 100}}`. Operators: equals, not,
    /// in, gt, gte, lt, lte, contains, blank.
    r#where: Option<String>,
    /// Field to order by; `-field` for descending. Newest first if absent.
    order: Option<String>,
    /// Most entries, 1–200; 50 if absent. A page may have fewer although more follow.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the previous page.
    cursor: Option<String>,
}

/// A query of records, as a body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Find {
    /// Tests, all of which must hold: `{"priority": "high", "amount": {"gte": 100}}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    r#where: Map<String, Value>,
    /// Field to order by; `-field` for descending. Newest first if absent.
    order: Option<String>,
    /// Most entries, 1–200; 50 if absent.
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the previous page.
    cursor: Option<String>,
}

/// Lists records.
#[operation(
    get, path = "/v1/objects/{object}/records", tag = "records", operation_id = "list_records",
    params(("object" = String, Path, description = "Record type"), Which),
    responses((status = 200, body = Listing<RecordView>), (status = 404, body = Sent), (status = 422, body = Sent))
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Route(object): Route<String>,
    Params(which): Params<Which>,
) -> Result<axum::Json<Listing<RecordView>>, Problem> {
    let tests = which.r#where.as_deref().map(|tests| json::read(tests.as_bytes(), &Bounds::OUTSIDE)).transpose();
    let tests = tests.map_err(|error| {
        Problem::new(Code::BadQuery, format!("expected where to be a JSON object, found otherwise: {error}"))
    })?;
    let find =
        Find { r#where: tests.unwrap_or_default(), order: which.order, limit: which.limit, cursor: which.cursor };
    page(&api, &object, find).await.map(axum::Json)
}

/// Lists records, with the filter in the body.
#[operation(
    post, path = "/v1/objects/{object}/records/find", tag = "records", operation_id = "find_records",
    params(("object" = String, Path, description = "Record type")), request_body(content = Find),
    responses((status = 200, body = Listing<RecordView>), (status = 404, body = Sent), (status = 422, body = Sent))
)]
pub(super) async fn find(
    State(api): State<Arc<Api>>,
    Route(object): Route<String>,
    Json(find): Json<Find>,
) -> Result<axum::Json<Listing<RecordView>>, Problem> {
    page(&api, &object, find).await.map(axum::Json)
}

async fn page(api: &Api, object: &str, find: Find) -> Result<Listing<RecordView>, Problem> {
    if find.r#where.is_empty() && find.order.is_none() {
        all(api, object, find).await
    } else {
        some(api, object, find).await
    }
}

/// All records of an object, in the order of storage: newest first.
async fn all(api: &Api, object: &str, find: Find) -> Result<Listing<RecordView>, Problem> {
    let mut walk = Walk::of(format!("records {object}"), &Paging { limit: find.limit, cursor: find.cursor })?;
    let (after, mut limit) = (walk.after(), walk.limit);
    loop {
        let found = match api.core.records.list(object, limit, after.clone()).await {
            Err(pawl_runtime::RecordError::Failed(error)) => return Err(walk.problem(error)),
            found => found?,
        };
        // Storage says where a page ends, so one that is too long is read again, shorter.
        limit = page::fitting(found.items.iter().map(bytes));
        if limit >= found.items.len() {
            return Ok(walk.page(found, RecordView::from));
        }
    }
}

/// Bytes of a record's fields as JSON.
fn bytes(record: &Record) -> usize {
    record.fields.iter().map(|(name, value)| name.len() + json::bytes(value)).sum()
}

/// Where a filtered listing stands: after this record, or, if that is gone, after so many.
#[derive(Serialize, Deserialize)]
struct Place {
    id: String,
    count: usize,
}

async fn some(api: &Api, object: &str, find: Find) -> Result<Listing<RecordView>, Problem> {
    let schema = api.core.records.object(object).await?;
    let limit = page::limit(find.limit)?;
    let name = format!("records {object} {} {:?}", Value::Object(find.r#where.clone()), find.order);
    let place: Option<Place> = page::open(&name, find.cursor.as_deref())?;
    let query = filter::query(&schema, &find.r#where, find.order.as_deref(), REACH)?;
    let Found { records: found, refused, .. } = api.finder.find(&query, Some(&schema)).await?;
    if let Some(error) = refused {
        return Err(Problem::new(Code::BadFilter, error.message));
    }
    let skipped = place.map_or(0, |place| {
        let at = found.iter().position(|record| record.id == place.id);
        at.map_or(place.count.min(found.len()), |at| at + 1)
    });
    let limit = limit.min(page::fitting(found.iter().skip(skipped).map(bytes)));
    let rest = found.len().saturating_sub(skipped.saturating_add(limit));
    let records: Vec<_> = found.into_iter().skip(skipped).take(limit).collect();
    let place = records.last().map(|last| Place { id: last.id.clone(), count: skipped + records.len() });
    let next = place.filter(|_| rest > 0).map(|place| page::seal(&name, place));
    Ok(Listing { next, ..Listing::whole(records.into_iter().map(RecordView::from).collect()) })
}
