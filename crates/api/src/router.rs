//! The one router, which runs in Lambda and embedded unchanged.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use pawl_runtime::ports::{Absent, Secrets};
use pawl_runtime::{Core, System};

use crate::state::Api;
use crate::surface::Surface;
use crate::{
    ApiOptions, Code, Problem, access, activities, definitions, events, executions, hooks, installation, interactions,
    mail_events, objects, operations, pages, records, signals, workflows,
};

/// The routes that ask who is there.
fn managed<S: Surface>(surface: S) -> S {
    let surface = mail_events::routes(surface);
    let surface = events::routes(objects::routes(signals::routes(executions::routes(workflows::routes(surface)))));
    let surface = activities::routes(records::routes(interactions::routes(surface)));
    definitions::routes(installation::routes(operations::routes(surface)))
}

/// Those that do not, beside the webhooks.
fn open<S: Surface>(surface: S) -> S {
    pages::routes(installation::open_routes(surface))
}

/// All routes, as the description has them.
#[cfg(feature = "describe")]
pub(crate) fn all<S: Surface>(surface: S) -> S {
    open(hooks::routes(managed(surface)))
}

/// The HTTP surface of a system: management API under `/v1`, webhooks under `/hooks`.
pub fn router(system: System, options: ApiOptions) -> Router {
    let api = Arc::new(Api::new(system.core, system.outside.secrets, options));
    finish(guarded(&api).merge(hooks::routes(open(Router::new()))), api)
}

/// The management API alone, under `/v1`, where others take the webhooks.
pub fn management(core: Core, options: ApiOptions) -> Router {
    let api = Arc::new(Api::new(core, Arc::new(Absent), options));
    finish(guarded(&api).merge(open(Router::new())), api)
}

/// The webhooks alone, under `/hooks`, with the health of whoever takes them. Nobody is asked who they are: deliveries
/// are signed, and verified by these secrets.
pub fn webhooks(core: Core, secrets: Arc<dyn Secrets>) -> Router {
    let api = Arc::new(Api::new(core, secrets, ApiOptions::default()));
    finish(installation::open_routes(hooks::routes(Router::new())), api)
}

fn guarded(api: &Arc<Api>) -> Router<Arc<Api>> {
    managed(Router::new()).route_layer(from_fn_with_state(api.clone(), access::check))
}

fn finish(routes: Router<Arc<Api>>, api: Arc<Api>) -> Router {
    let routes = routes.fallback(unknown_route).method_not_allowed_fallback(method_not_allowed).with_state(api);
    routes.layer(from_fn(contain_panics))
}

/// Answers a request whose handler panicked as any other that failed: the process's panic hook has logged where.
async fn contain_panics(request: Request, next: Next) -> Response {
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answered.unwrap_or_else(|_| Problem::internal(&"its handler panicked").into_response())
}

async fn unknown_route(request: Request) -> Problem {
    Problem::new(Code::UnknownRoute, format!("there is nothing at {}", request.uri().path()))
}

async fn method_not_allowed(request: Request) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not answer {}", request.uri().path(), request.method()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http::StatusCode;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_500_and_its_connection_lasts() {
        async fn broken() -> &'static str {
            panic!("a broken invariant")
        }
        let router = Router::new().route("/", get(broken)).layer(from_fn(contain_panics));
        let answer = router.oneshot(Request::new(Body::empty())).await.expect("a router answers");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = answer.into_body().collect().await.expect("the body is whole").to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).expect("a problem is JSON");
        assert_eq!(problem["code"], "internal");
        assert!(!problem.to_string().contains("invariant"), "{problem}");
    }
}
