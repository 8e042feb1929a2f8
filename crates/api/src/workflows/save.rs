//! Saving and checking workflows.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use pawl_definition::Source;
use serde::{Deserialize, Serialize};

use super::view::{HeadView, SavedView};
use crate::body::Text;
use crate::describe::{IntoParams, ToSchema, operation};
use crate::problem::{self, Mistake, Sent};
use crate::request::{self, Actor, Params, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// How the file is named.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// Name of the file, for people.
    file: Option<String>,
}

impl Named {
    fn name(&self) -> &str {
        self.file.as_deref().unwrap_or("workflow.yaml")
    }
}

/// The body as a file of the language.
pub(super) struct File(Source);

impl<S: Send + Sync> FromRequest<S> for File {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Params(named) = Params::<Named>::from_request_parts(&mut parts, state).await?;
        let Text(text) = Text::from_request(Request::from_parts(parts, body), state).await?;
        let source = Source::parse(named.name(), &text);
        source.map(Self).map_err(|problems| problem::invalid(&problems, problem::File::Workflow))
    }
}

/// Saves a workflow under the id in its text, as a new revision.
#[operation(
    post, path = "/v1/workflows", tag = "workflows", operation_id = "save_workflow",
    params(
        Named,
        ("if-match" = Option<String>, Header, description = "Revision that was read, quoted; `412` if the present revision is another"),
        ("if-none-match" = Option<String>, Header, description = "`*`: only if none exists yet"),
        ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
    ),
    request_body(content = String, content_type = "application/yaml", description = "The workflow as YAML or JSON"),
    responses(
        (status = 200, body = SavedView, headers(("etag", description = "Revision"))),
        (status = 201, description = "Created", body = SavedView, headers(("etag", description = "Revision"))),
        (status = 412, body = Sent), (status = 422, body = Sent)
    )
)]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    actor: Actor,
    headers: HeaderMap,
    File(source): File,
) -> Result<Response, Problem> {
    save(&api, &source, &headers, &actor).await
}

/// Saves a workflow, as a new revision.
#[operation(
    put, path = "/v1/workflows/{id}", tag = "workflows", operation_id = "replace_workflow",
    params(
        ("id" = String, Path, description = "Workflow"), Named,
        ("if-match" = Option<String>, Header, description = "Revision that was read, quoted; `412` if the present revision is another"),
        ("if-none-match" = Option<String>, Header, description = "`*`: only if none exists yet"),
        ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
    ),
    request_body(content = String, content_type = "application/yaml", description = "The workflow as YAML or JSON"),
    responses(
        (status = 200, body = SavedView, headers(("etag", description = "Revision"))),
        (status = 201, description = "Created", body = SavedView, headers(("etag", description = "Revision"))),
        (status = 412, body = Sent), (status = 422, body = Sent)
    )
)]
pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    actor: Actor,
    headers: HeaderMap,
    File(source): File,
) -> Result<Response, Problem> {
    // A text without an id is refused by the validation, with its place.
    if let Some(found) = source.value.get("workflow").filter(|found| found.as_str() != Some(id.as_str())) {
        return Err(Problem::new(
            Code::IdMismatch,
            format!("expected workflow: {id}, as the path says, found {found}"),
        ));
    }
    save(&api, &source, &headers, &actor).await
}

async fn save(api: &Api, source: &Source, headers: &HeaderMap, actor: &Actor) -> Result<Response, Problem> {
    let read_at = request::read_at(headers)?;
    let saved = api.core.workflows.save(source, read_at, actor.name()).await;
    let saved = saved.map_err(|error| problem::of_save(error, problem::File::Workflow))?;
    let is_new = saved.head.revision == 1 && !saved.unchanged;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let tag = request::tag(saved.head.revision);
    let view = SavedView { head: HeadView::from(&saved.head), unchanged: saved.unchanged, operation: saved.operation };
    Ok((status, [(ETAG, tag)], axum::Json(view)).into_response())
}

/// How a text is checked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckParams {
    /// Name of the file, for people.
    file: Option<String>,
    /// Whether the workflow has test cases, as the launch checklist requires.
    #[serde(default)]
    has_cases: bool,
}

/// Result of a check.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Checked)]
pub(super) struct Checked {
    /// Whether the workflow can be saved.
    valid: bool,
    /// All errors and warnings.
    problems: Vec<Mistake>,
    /// The launch checklist; empty unless the workflow is valid.
    checklist: Vec<Item>,
}

/// One item of the launch checklist.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChecklistItem)]
struct Item {
    /// Stable code.
    code: &'static str,
    /// The requirement.
    title: &'static str,
    /// `pass`, `fail` or `not_applicable`.
    #[schema(value_type = String)]
    status: pawl_definition::ChecklistStatus,
    /// The reason, and what to do.
    detail: String,
    /// The step that the item is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
}

/// Checks a workflow against the objects of this installation, and compares it with the launch checklist. Saves
/// nothing.
#[operation(
    post, path = "/v1/check", tag = "workflows", operation_id = "check_workflow", params(CheckParams),
    request_body(content = String, content_type = "application/yaml", description = "The workflow as YAML or JSON"),
    responses((status = 200, body = Checked))
)]
pub(super) async fn check(
    State(api): State<Arc<Api>>,
    Params(params): Params<CheckParams>,
    Text(text): Text,
) -> Result<axum::Json<Checked>, Problem> {
    let named = Named { file: params.file };
    let (workflow, problems) = match Source::parse(named.name(), &text) {
        Ok(source) => pawl_definition::check_workflow(&source, &*api.core.workflows.objects().await?),
        Err(problems) => (None, problems),
    };
    let checklist = workflow.as_ref().map(|workflow| pawl_definition::checklist(workflow, params.has_cases));
    let items = checklist.into_iter().flatten().map(|item| Item {
        code: item.code,
        title: item.title,
        status: item.status,
        detail: item.detail,
        step: item.step,
    });
    Ok(axum::Json(Checked {
        valid: workflow.is_some(),
        problems: problems.iter().map(Mistake::from).collect(),
        checklist: items.collect(),
    }))
}
