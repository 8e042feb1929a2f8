//! The pages of `docs/errors`, to which the `type` of a problem leads.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::describe::operation;
use crate::problem::Sent;
use crate::request::Route;
use crate::surface::Surface;
use crate::{Code, Problem};

/// Pages by code, in the order of codes.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface.on::<__path_show, _, _>(show)
}

/// The page of a code, in Markdown: what it means and what to do.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.binary_search_by_key(&code, |(code, _)| code).ok().map(|at| PAGES[at].1)
}

/// Every code that has a page, in order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    // The overview of the pages stands among them.
    PAGES.iter().map(|(code, _)| *code).filter(|code| *code != "README")
}

/// Shows the page of an error code: what it means and what to do. Needs no credentials.
#[operation(
    get, path = "/docs/errors/{code}", tag = "installation", operation_id = "show_error", security(()),
    params(("code" = String, Path, description = "Code of a problem, step error or refusal")),
    responses((status = 200, body = String, content_type = "text/markdown"), (status = 404, body = Sent))
)]
async fn show(Route(code): Route<String>) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::UnknownRoute, format!("there is no page of the code {code:?}"));
    let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], page(&code).ok_or_else(unknown)?).into_response())
}
