//! What the description of the API says of every operation alike: problems, and bodies that may be empty.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, Schema};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";
const PROBLEM: &str = "#/components/schemas/Problem";

/// Completes the description that stands with the routes.
pub(crate) fn complete(openapi: &mut OpenApi) {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let may_be_empty = |name: &str| match components.schemas.get(name) {
        Some(RefOr::T(Schema::Object(object))) => object.required.is_empty(),
        _ => false,
    };
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        problems(operation);
        empty_body(operation, may_be_empty);
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [&mut path.get, &mut path.put, &mut path.post, &mut path.patch, &mut path.delete];
    all.into_iter().filter_map(Option::as_mut)
}

/// Every problem has its own media type, and every operation may answer with one that is not named.
fn problems(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let is_problem = response.content.get(JSON).is_some_and(|content| leads_to(content) == Some(PROBLEM));
        if let (true, Some(content)) = (is_problem, response.content.shift_remove(JSON)) {
            response.content.insert(PROBLEM_JSON.to_owned(), content);
        }
    }
    let mut other = Response::new("Another problem: its `code` has a page in docs/errors");
    let content = RefOr::T(Content::new(Some(Ref::new(PROBLEM))));
    other.content.insert(PROBLEM_JSON.to_owned(), content);
    operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(other));
}

/// An empty body stands for an empty object.
fn empty_body(operation: &mut Operation, may_be_empty: impl Fn(&str) -> bool) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let of = body.content.get(JSON).and_then(leads_to).and_then(|path| path.rsplit('/').next());
    if of.is_some_and(may_be_empty) {
        body.required = None;
    }
}

/// The schema that a content refers to.
fn leads_to(content: &RefOr<Content>) -> Option<&str> {
    match content {
        RefOr::T(Content { schema: Some(RefOr::Ref(to)), .. }) => Some(&to.ref_location),
        _ => None,
    }
}
