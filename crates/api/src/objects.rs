//! Objects: the schemas of record types.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use pawl_definition::{Contact, Field, Object, Relationship, Source};
use serde::Serialize;

use crate::body::Text;
use crate::describe::{ToSchema, operation};
use crate::page::Listing;
use crate::problem::{self, File, Mistake, Sent};
use crate::request::Route;
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface
        .on::<__path_list, _, _>(list)
        .on::<__path_create, _, _>(create)
        .on::<__path_show, _, _>(show)
        .on::<__path_replace, _, _>(replace)
}

/// An object, as in an `*.object.yaml` file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObjectFile)]
struct ObjectView {
    /// Id.
    object: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Fields by name: type, options, many, required, unique, indexed, default.
    #[schema(value_type = Object)]
    fields: BTreeMap<String, Field>,
    /// Stages, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stages: Vec<String>,
    /// Relationships by name: object, many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    relationships: BTreeMap<String, Relationship>,
    /// The field that people see as the name of a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The fields by which a record can be written to: email, phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    contact: Option<Contact>,
}

/// A saved object.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedObject)]
struct SavedView {
    /// The object.
    #[serde(flatten)]
    object: ObjectView,
    /// The mistakes that the save causes in active workflows, each with its place in the workflow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Mistake>,
}

impl From<&Object> for ObjectView {
    fn from(object: &Object) -> Self {
        let Object { id, name, fields, stages, relationships, title, contact } = object.clone();
        Self { object: id, name, fields, stages, relationships, title, contact }
    }
}

/// Lists all objects by id, on one page.
#[operation(
    get, path = "/v1/objects", tag = "records", operation_id = "list_objects",
    responses((status = 200, body = Listing<ObjectView>))
)]
async fn list(State(api): State<Arc<Api>>) -> Result<axum::Json<Listing<ObjectView>>, Problem> {
    let objects = api.core.workflows.objects().await?;
    Ok(axum::Json(Listing::whole(objects.values().map(ObjectView::from).collect())))
}

/// Shows an object.
#[operation(
    get, path = "/v1/objects/{object}", tag = "records", operation_id = "show_object",
    params(("object" = String, Path, description = "Record type")),
    responses((status = 200, body = ObjectView), (status = 404, body = Sent))
)]
async fn show(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<axum::Json<ObjectView>, Problem> {
    Ok(axum::Json(ObjectView::from(&api.core.records.object(&id).await?)))
}

/// Saves an object under the id in its text.
#[operation(
    post, path = "/v1/objects", tag = "records", operation_id = "save_object",
    request_body(content = String, content_type = "application/yaml", description = "The object as YAML or JSON"),
    responses((status = 200, body = SavedView), (status = 422, body = Sent))
)]
async fn create(State(api): State<Arc<Api>>, Text(text): Text) -> Result<Response, Problem> {
    save(&api, &parse(&text)?).await
}

/// Saves an object.
#[operation(
    put, path = "/v1/objects/{object}", tag = "records", operation_id = "replace_object",
    params(("object" = String, Path, description = "Record type")),
    request_body(content = String, content_type = "application/yaml", description = "The object as YAML or JSON"),
    responses((status = 200, body = SavedView), (status = 422, body = Sent))
)]
async fn replace(State(api): State<Arc<Api>>, Route(id): Route<String>, Text(text): Text) -> Result<Response, Problem> {
    let source = parse(&text)?;
    // A text without an id is refused by the validation, with its place.
    if let Some(found) = source.value.get("object").filter(|found| found.as_str() != Some(id.as_str())) {
        return Err(Problem::new(Code::IdMismatch, format!("expected object: {id}, as the path says, found {found}")));
    }
    save(&api, &source).await
}

fn parse(text: &str) -> Result<Source, Problem> {
    Source::parse("object.yaml", text).map_err(|problems| problem::invalid(&problems, File::Object))
}

async fn save(api: &Api, source: &Source) -> Result<Response, Problem> {
    let saved = api.core.workflows.save_object(source).await;
    let saved = saved.map_err(|error| problem::of_save(error, File::Object))?;
    let warnings = saved.warnings.iter().map(Mistake::from).collect();
    Ok(axum::Json(SavedView { object: ObjectView::from(&saved.object), warnings }).into_response())
}
