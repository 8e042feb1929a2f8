//! Generates the description of the API from its routes and types, and says of every operation alike: problems,
//! descriptions of answers, bodies that may be empty, and no schema that nothing leads to.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::handler::Handler;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Content, OpenApi, Ref, RefOr, Response, Schema};

use super::Described;
use crate::router;
use crate::state::Api;
use crate::surface::{Routed, Surface};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";
const SCHEMAS: &str = "#/components/schemas/";
const PROBLEM: &str = "#/components/schemas/Problem";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Pawl",
        description = "Agentic workflows that run as serverless functions: management API and webhooks.\n\n\
            A server on loopback requires a token only if it was started with one.\n\n\
            Errors are RFC 9457 problems whose `code` is stable and has a page in docs/errors.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "The server that serves this description")),
    tags(
        (name = "workflows", description = "Save, switch, check and start workflows"),
        (name = "executions", description = "Read and control executions"),
        (name = "operations", description = "Work on many executions at once"),
        (name = "signals", description = "Signals to executions that wait for them"),
        (name = "records", description = "Objects and their records"),
        (name = "activities", description = "What people do about records: tasks, calls, meetings"),
        (name = "definitions", description = "Groups, calendars, people, types of activities and other definitions"),
        (name = "webhooks", description = "Webhooks for external systems"),
        (name = "installation", description = "Controls of the installation, notices, health and descriptions")
    ),
    security((), ("bearer" = []))
)]
struct Description;

/// Describes the API as OpenAPI 3.1.
pub fn openapi() -> OpenApi {
    let mut description = router::all(Description::openapi());
    complete(&mut description);
    description
}

impl Surface for OpenApi {
    fn on<P: Routed + Described, H: Handler<T, Arc<Api>>, T: 'static>(mut self, _: H) -> Self {
        let mut operation = P::operation();
        operation.tags = Some(P::tags().into_iter().map(str::to_owned).collect());
        self.paths.add_path_operation(P::path(), P::methods(), operation);
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        self.components.get_or_insert_with(|| ComponentsBuilder::new().build()).schemas.extend(schemas);
        self
    }
}

/// Completes the description that stands with the routes.
fn complete(openapi: &mut OpenApi) {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let may_be_empty = |name: &str| match components.schemas.get(name) {
        Some(RefOr::T(Schema::Object(object))) => object.required.is_empty(),
        _ => false,
    };
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        problems(operation);
        descriptions(operation);
        empty_body(operation, may_be_empty);
    }
    forget_unused(openapi);
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
        if is_problem && let Some(content) = response.content.shift_remove(JSON) {
            response.content.insert(PROBLEM_JSON.to_owned(), content);
        }
    }
    let mut other = Response::new("Another problem: its `code` has a page in docs/errors");
    let content = RefOr::T(Content::new(Some(Ref::new(PROBLEM))));
    other.content.insert(PROBLEM_JSON.to_owned(), content);
    for status in ["4XX", "default"] {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(other.clone()));
    }
}

/// A response without a description of its own says what its status means.
fn descriptions(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            meaning(status).clone_into(&mut response.description);
        }
    }
}

fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "Done",
        "201" => "Created",
        "202" => "Accepted, durably",
        "204" => "Done; the answer has no body",
        "400" => "A part of the path, the query or a header cannot be read",
        "401" => "The credentials or the signature of a delivery are missing or wrong",
        "403" => "The role does not allow this",
        "404" => "Not found",
        "405" => "The path does not support this method",
        "409" => "The present state does not allow this",
        "412" => "The item was changed after it was read",
        "413" => "The body is too large",
        "415" => "The type of the body is not supported",
        "422" => "The body is not as expected",
        "429" => "Too much load at present; `retry-after` says when to repeat the request",
        "503" => "Not possible at present; `retry-after` says when to repeat the request",
        _ => "Another answer",
    }
}

/// Schemas that no operation leads to are left out: they came along with generic types.
fn forget_unused(openapi: &mut OpenApi) {
    let of = |value: &serde_json::Value| {
        let mut names = BTreeSet::new();
        references(value, &mut names);
        names
    };
    let paths = serde_json::to_value(&openapi.paths).expect("a description is JSON");
    let Some(components) = &mut openapi.components else { return };
    let mut used = BTreeSet::new();
    let mut next: Vec<String> = of(&paths).into_iter().collect();
    while let Some(name) = next.pop() {
        if let Some(schema) = components.schemas.get(&name)
            && used.insert(name)
        {
            next.extend(of(&serde_json::to_value(schema).expect("a schema is JSON")));
        }
    }
    components.schemas.retain(|name, _| used.contains(name));
}

/// The schemas that a part of the description refers to.
fn references(value: &serde_json::Value, names: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        serde_json::Value::Object(keys) => {
            let own = keys.get("$ref").and_then(serde_json::Value::as_str);
            names.extend(own.and_then(|path| path.strip_prefix(SCHEMAS)).map(str::to_owned));
            keys.values().for_each(|value| references(value, names));
        }
        _ => {}
    }
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
