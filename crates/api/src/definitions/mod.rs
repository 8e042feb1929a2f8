//! Groups, calendars and other definitions: routes of one shape, one file for each kind.

use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use pawl_definition::{DefinitionKind, Source};
use pawl_runtime::items::Unreadable;
use pawl_runtime::items::definition::Saved;
use pawl_runtime::{DefinitionError, Error, SavedDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::describe::ToSchema;
use crate::page::Listing;
use crate::problem::{self, File, Mistake};
use crate::request::{self, Actor};
use crate::state::Api;
use crate::surface::Surface;
use crate::{Code, Problem};

/// The routes of a kind. What its file has is a view of its own.
macro_rules! routes {
    (
        $(#[$list_doc:meta])* list $all:literal, $list:literal;
        $(#[$show_doc:meta])* show $one:literal, $show:literal;
        $(#[$save_doc:meta])* save $save:literal;
        $(#[$delete_doc:meta])* delete $delete:literal;
        $kind:ident, $view:ident, $id_doc:literal
    ) => {
        /// The routes.
        pub(super) fn routes<S: crate::surface::Surface>(surface: S) -> S {
            surface
                .on::<__path_list, _, _>(list)
                .on::<__path_show, _, _>(show)
                .on::<__path_save, _, _>(save)
                .on::<__path_delete, _, _>(delete)
        }

        $(#[$list_doc])*
        #[operation(
            get, path = $all, tag = "definitions", operation_id = $list,
            responses((status = 200, body = Listing<$view>))
        )]
        async fn list(State(api): State<Arc<Api>>) -> Result<axum::Json<Listing<$view>>, Problem> {
            super::list(&api, DefinitionKind::$kind).await.map(axum::Json)
        }

        $(#[$show_doc])*
        #[operation(
            get, path = $one, tag = "definitions", operation_id = $show,
            params(("id" = String, Path, description = $id_doc)),
            responses(
                (status = 200, body = $view, headers(("etag", description = "Revision"))),
                (status = 404, body = Sent)
            )
        )]
        async fn show(State(api): State<Arc<Api>>, Route(id): Route<String>) -> Result<Response, Problem> {
            super::show::<$view>(&api, DefinitionKind::$kind, &id).await
        }

        $(#[$save_doc])*
        #[operation(
            put, path = $one, tag = "definitions", operation_id = $save,
            params(
                ("id" = String, Path, description = $id_doc),
                ("if-match" = Option<String>, Header, description = "Revision that was read, quoted; `412` if the present revision is another"),
                ("if-none-match" = Option<String>, Header, description = "`*`: only if none exists yet"),
                ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
            ),
            request_body(content = String, content_type = "application/yaml", description = "The file as YAML or JSON"),
            responses(
                (status = 200, body = SavedView<$view>, headers(("etag", description = "Revision"))),
                (status = 201, description = "Created", body = SavedView<$view>, headers(("etag", description = "Revision"))),
                (status = 412, body = Sent), (status = 422, body = Sent)
            )
        )]
        async fn save(
            State(api): State<Arc<Api>>,
            Route(id): Route<String>,
            actor: Actor,
            headers: HeaderMap,
            Text(text): Text,
        ) -> Result<Response, Problem> {
            super::save::<$view>(&api, (DefinitionKind::$kind, &id), (&headers, &actor), &text).await
        }

        $(#[$delete_doc])*
        #[operation(
            delete, path = $one, tag = "definitions", operation_id = $delete,
            params(
                ("id" = String, Path, description = $id_doc),
                ("if-match" = Option<String>, Header, description = "Revision that was read, quoted; `412` if the present revision is another"),
                ("x-pawl-actor" = Option<String>, Header, description = "The actor, if the server does not know the sender")
            ),
            responses(
                (status = 200, description = "Deleted", body = DeletedView), (status = 404, body = Sent),
                (status = 409, description = "A workflow or another definition needs it", body = Sent),
                (status = 412, body = Sent)
            )
        )]
        async fn delete(
            State(api): State<Arc<Api>>,
            Route(id): Route<String>,
            actor: Actor,
            headers: HeaderMap,
        ) -> Result<axum::Json<DeletedView>, Problem> {
            super::delete(&api, (DefinitionKind::$kind, &id), (&headers, &actor)).await.map(axum::Json)
        }
    };
}

mod activity;
mod calendar;
mod group;
mod people;

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    activity::routes(people::routes(group::routes(calendar::routes(surface))))
}

/// A saved definition.
#[derive(Debug, Serialize, ToSchema)]
struct SavedView<V> {
    /// It.
    #[serde(flatten)]
    definition: V,
    /// The mistakes that the save causes in active workflows and in other definitions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Mistake>,
}

/// A deleted definition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeletedDefinition)]
struct DeletedView {
    /// Its id.
    id: String,
    /// The revision that its deletion is; a definition that is saved under the id again has a later one.
    revision: u64,
}

/// A definition with what is known of its last save.
fn view<V: DeserializeOwned>((kind, id): (DefinitionKind, &str), saved: Saved) -> Result<V, Unreadable> {
    let Saved { revision, saved_by, saved_at, mut source } = saved;
    source[kind.word()] = json!(id);
    for (key, value) in [("revision", json!(revision)), ("saved_by", json!(saved_by)), ("saved_at", json!(saved_at))] {
        source[key] = value;
    }
    let unlike = |_| Unreadable {
        key: format!("definitions/{}/{id}", kind.word()),
        reason: "not of the expected shape".to_owned(),
    };
    serde_json::from_value(source).map_err(unlike)
}

async fn list<V: DeserializeOwned>(api: &Api, kind: DefinitionKind) -> Result<Listing<V>, Problem> {
    let found = api.core.definitions.list(kind).await?;
    let mut listing = Listing::whole(Vec::new());
    let mut unreadable = found.unreadable;
    for (id, saved) in found.items {
        match view((kind, &id), saved) {
            Ok(one) => listing.items.push(one),
            Err(error) => unreadable.push(error),
        }
    }
    listing.unreadable = unreadable.into_iter().map(Into::into).collect();
    Ok(listing)
}

async fn show<V: DeserializeOwned + Serialize>(api: &Api, kind: DefinitionKind, id: &str) -> Result<Response, Problem> {
    let found = api.core.definitions.read(kind, id).await?;
    let saved =
        found.ok_or_else(|| DefinitionError::NotFound(kind, id.to_owned())).map_err(|error| refused(kind, error))?;
    let tag = request::tag(saved.revision);
    let view: V = view((kind, id), saved).map_err(Error::from)?;
    Ok(([(ETAG, tag)], axum::Json(view)).into_response())
}

async fn save<V: DeserializeOwned + Serialize>(
    api: &Api,
    (kind, id): (DefinitionKind, &str),
    (headers, actor): (&HeaderMap, &Actor),
    text: &str,
) -> Result<Response, Problem> {
    let name = format!("{}.yaml", kind.word());
    let source = Source::parse(&name, text).map_err(|problems| problem::invalid(&problems, File::Definition(kind)))?;
    // A text without an id is refused by the validation, with its place.
    let written = source.value.get(kind.word());
    if let Some(found) = written.filter(|found| found.as_str() != Some(id)) {
        let detail = format!("expected {}: {id}, as the path says, found {found}", kind.word());
        return Err(Problem::new(Code::IdMismatch, detail));
    }
    if let Some(found) = kind.id_of(&source.value).filter(|found| *found != id) {
        let detail = format!("expected {}: {id}, as the path says, found none, which means {found}", kind.word());
        return Err(Problem::new(Code::IdMismatch, detail));
    }
    let at = (request::read_at(headers)?, actor.name());
    let saved = api.core.definitions.save(kind, &source, at).await.map_err(|error| refused(kind, error))?;
    let SavedDefinition { id, saved, unchanged, warnings } = saved;
    let status = if saved.revision == 1 && !unchanged { StatusCode::CREATED } else { StatusCode::OK };
    let tag = request::tag(saved.revision);
    let definition: V = view((kind, &id), saved).map_err(Error::from)?;
    let warnings = warnings.iter().map(Mistake::from).collect();
    Ok((status, [(ETAG, tag)], axum::Json(SavedView { definition, warnings })).into_response())
}

async fn delete(
    api: &Api,
    (kind, id): (DefinitionKind, &str),
    (headers, actor): (&HeaderMap, &Actor),
) -> Result<DeletedView, Problem> {
    let at = (request::read_at(headers)?, actor.name());
    let deleted = api.core.definitions.delete(kind, id, at).await.map_err(|error| refused(kind, error))?;
    Ok(DeletedView { id: id.to_owned(), revision: deleted.revision })
}

fn refused(kind: DefinitionKind, error: DefinitionError) -> Problem {
    let detail = error.to_string();
    match error {
        DefinitionError::Invalid(problems) => problem::invalid(&problems, File::Definition(kind)),
        DefinitionError::Stale(revision) => Problem::new(Code::StaleRevision, detail).present(revision),
        DefinitionError::NotFound(..) => Problem::new(Code::NoDefinition, detail),
        DefinitionError::InUse(_, _, mistakes) => {
            Problem::new(Code::DefinitionInUse, detail).listing(mistakes.iter().map(Mistake::from).collect())
        }
        DefinitionError::Failed(error) => error.into(),
    }
}
